"""Gathers the check of a judge: scores from the ledger, what people and judges said of edits from files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from db.engine import reading
from db.errors import WrongCall
from db.outcomes import sample_identities
from producer.comparison.runs import compared_run, names_of, runs_beside
from producer.judge_check.ceiling import ceilings
from producer.judge_check.consistency import consistency
from producer.judge_check.edits import Roster
from producer.judge_check.figures import Held, agreement, preference_agreement
from producer.judge_check.human import Human, read_human
from producer.judge_check.notes import notes_of
from producer.judge_check.order import order_effects, truth_of
from producer.judge_check.pairs import read_pairs
from producer.judge_check.schema import Ceiling, CheckedDimension, HumanFile, JudgeCheck
from producer.judge_check.scores import Judged, averaged, judged_by
from producer.report.schema import OVERALL, Method
from producer.report.scores import RunScores, read_scores
from producer.statistics import binomial, rank_bootstrap
from producer.statistics.bootstrap import LEVEL, METHOD, RESAMPLES, SEED

_NOTHING = (
    "nothing to check with: give --human FILE with what people said of the edits, --pairs FILE with what a judge said "
    "of pairs, or runs whose scorers judged each edit several times (`rescore RUN --set scorer.repeats=3`)"
)

_METHOD = f"{METHOD}, {rank_bootstrap.METHOD}; of places and orders: {binomial.METHOD}"


@dataclass(frozen=True)
class Asked:
    """What a judge is to be checked with; without scorers or dimensions, all that there are."""

    human: Path | None
    pairs: Path | None
    scorers: Sequence[str] = ()
    dimensions: Sequence[str] = ()


def check_judge(engine: Engine, given: Sequence[str], asked: Asked) -> JudgeCheck:
    """Check the scorers of runs of one benchmark.

    Raises UnknownRun, WrongCall where there is nothing to check with, or BenchmarkInvalid with the faults of a file.
    """
    runs = runs_beside(engine, given, "a judge is checked on one benchmark")
    with reading(engine) as connection:
        scores = [read_scores(connection, run.id) for run in runs]
        roster = Roster(runs, scores, sample_identities(connection, runs[0].benchmark_id))
    judged = _chosen(scores, asked)
    human = None if asked.human is None else read_human(asked.human, roster, _dimensions(scores))
    verdicts = [] if asked.pairs is None else read_pairs(asked.pairs, roster)
    checked = [one for scorer in judged for one in _checked(roster, scorer, human, asked)]
    if not checked and not verdicts:
        raise WrongCall(_NOTHING if human is None else "people and scorers have no dimension in common")
    names = names_of(runs)
    found = JudgeCheck(
        runs=[compared_run(engine, run, names[run.id]) for run in runs],
        human=None if human is None else _in_numbers(human),
        notes=[],
        method=Method(interval=_METHOD, level=LEVEL, resamples=RESAMPLES, seed=SEED),
        scorers=checked,
        ceilings=[] if human is None else list(_ceilings(roster, human, asked)),
        order_effects=list(order_effects(roster.edits, verdicts, truth_of(human, verdicts, roster.edits))),
    )
    return found.model_copy(update={"notes": list(notes_of(found, runs, names))})


# -- scorers -----------------------------------------------------------------------------------------------------------


def _chosen(scores: Sequence[RunScores], asked: Asked) -> list[Judged]:
    """Return the scorers that are asked for. Raises WrongCall for one that is not there, or has several scales."""
    scales: dict[str, set[tuple[float, float]]] = {}
    for scorer in (scorer for found in scores for scorer in found.scorers):
        scales.setdefault(scorer.label, set()).add(scorer.scale)
    _require_known("--scorer", asked.scorers, list(scales))
    _require_known("--dimension", asked.dimensions, _dimensions(scores))
    labels = list(dict.fromkeys(asked.scorers)) or list(scales)
    for label in labels:
        if len(scales[label]) > 1:
            raise WrongCall(f"scorer {label!r} has not the same scale in all runs: check them one at a time")
    return judged_by(scores, labels)


def _require_known(option: str, given: Sequence[str], known: Sequence[str]) -> None:
    for one in given:
        if one not in known:
            raise WrongCall(f"{option} {one}: the runs have {', '.join(map(repr, known)) or 'none'}")


def _dimensions(scores: Sequence[RunScores]) -> list[str]:
    """Return every dimension that any scorer gives."""
    named = (name for found in scores for scorer in found.scorers for name in scorer.dimensions)
    return list(dict.fromkeys([OVERALL, *named]))


def _checked(roster: Roster, scorer: Judged, human: Human | None, asked: Asked) -> Iterator[CheckedDimension]:
    """Yield each dimension of a scorer of which there is something to say."""
    for name in scorer.dimensions:
        if name not in (asked.dimensions or [name]):
            continue
        repeats = scorer.repeats(name)
        scores = averaged(repeats)
        rated = human.ratings.get(name) if human is not None else None
        preferred = human.preferences.get(name) if human is not None else None
        ratings = None if rated is None else rated.rounded_means(scores.size)
        of_repeats = consistency(roster.edits, repeats, ratings)
        if ratings is None and preferred is None and of_repeats is None:
            continue
        overall, categories = (None, []) if ratings is None else agreement(Held(roster.edits, scores, ratings))
        preferences = (None, []) if preferred is None else preference_agreement(roster.edits, scores, preferred)
        yield CheckedDimension(
            scorer=scorer.label,
            dimension=name,
            scale=scorer.scale,
            overall=overall,
            categories=categories,
            preferences=preferences[0],
            preferences_by_category=preferences[1],
            consistency=of_repeats,
        )


# -- people ------------------------------------------------------------------------------------------------------------


def _in_numbers(human: Human) -> HumanFile:
    return HumanFile(
        ratings=sum(rated.value.size for rated in human.ratings.values()),
        preferences=sum(one.better.size for one in human.preferences.values()),
        raters=human.raters,
    )


def _ceilings(roster: Roster, human: Human, asked: Asked) -> Iterator[Ceiling]:
    for name, rated in human.ratings.items():
        if name in (asked.dimensions or [name]):
            yield from ceilings(roster.edits, name, rated)
