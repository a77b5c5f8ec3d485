"""Gathers a comparison from the ledger: every run's scores on the samples that all of them were asked."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine

from db.engine import reading
from db.errors import WrongCall
from db.outcomes import sample_identities
from db.queries import Run
from producer.comparison.figures import Beside, compare_dimension
from producer.comparison.notes import judging_notes
from producer.comparison.official import compared_tables
from producer.comparison.runs import compared_run, names_of, runs_beside
from producer.comparison.schema import ComparedDimension, ComparedTable, Comparison, Methods
from producer.report.gather import official_tables
from producer.report.scores import RunScores, ScorerScores, mean_of_rows, read_scores
from producer.statistics import bootstrap, pairing, ranking
from producer.statistics.agreement import DIGITS
from producer.statistics.summary import Numbers


def compare_runs(engine: Engine, given: Sequence[str], *, shared_only: bool = False) -> Comparison:
    """Compare runs of one benchmark; of several where `shared_only`, on the samples that are in all of them.

    Raises UnknownRun, or WrongCall for runs that have nothing in common or are not to be compared.
    """
    runs = runs_beside(engine, given, "--shared-only compares the samples they share", of_several=shared_only)
    if len(runs) < 2:
        raise WrongCall("a comparison needs two runs at least")
    named = names_of(runs)
    with reading(engine) as connection:
        scores = [read_scores(connection, run.id) for run in runs]
        shared = _shared(connection, runs, scores)
        official = _official(connection, runs, scores)
    notes = [*judging_notes({named[run.id]: run.configuration for run in runs}), *_left_out(runs, named, scores)]
    dimensions = list(_dimensions(runs, scores, shared))
    if not shared.samples or not dimensions:
        raise WrongCall("these runs have no " + ("scorer" if shared.samples else "sample") + " in common")
    return Comparison(
        runs=[compared_run(engine, run, named[run.id]) for run in runs],
        shared_samples=len(shared.samples),
        notes=notes,
        methods=Methods(interval=bootstrap.METHOD, test=pairing.METHOD, ranking=ranking.METHOD),
        dimensions=dimensions,
        official=official,
    )


# -- what the runs share -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shared:
    """The samples that every run was asked, in the first run's order, and where each run has them."""

    samples: Sequence[Hashable]
    places: Sequence[Sequence[int]]


def _shared(connection: Connection, runs: Sequence[Run], scores: Sequence[RunScores]) -> _Shared:
    """Find what is the same sample: by its row in one benchmark, else by name, source image and instruction."""
    same_benchmark = len({run.benchmark_id for run in runs}) == 1
    places: list[Mapping[Hashable, int]] = []
    for run, found in zip(runs, scores, strict=True):
        rows = [] if same_benchmark else sample_identities(connection, run.benchmark_id)
        known: dict[int, Hashable] = {row.id: tuple(row[1:]) for row in rows}
        places.append({known.get(one, one): place for place, one in enumerate(found.asked.sample_ids)})
    samples = [sample for sample in places[0] if all(sample in others for others in places[1:])]
    return _Shared(samples, [[of_run[sample] for sample in samples] for of_run in places])


def _left_out(runs: Sequence[Run], named: Mapping[str, str], scores: Sequence[RunScores]) -> Iterator[str]:
    """Yield which scorers are not compared, and why."""
    labels = [{scorer.label: scorer for scorer in found.scorers} for found in scores]
    for label in dict.fromkeys(label for of_run in labels for label in of_run):
        without = [named[run.id] for run, of_run in zip(runs, labels, strict=True) if label not in of_run]
        if without:
            yield f"scorer {label} is left out: {', '.join(without)} has none of that name"
        elif len({of_run[label].scale for of_run in labels}) > 1:
            yield f"scorer {label} is left out: its scale is not the same in all runs"
        else:
            named_by = [of_run[label].dimensions for of_run in labels]
            for name in dict.fromkeys(name for names in named_by for name in names):
                if all(name in names for names in named_by):
                    if len({of_run[label].scale_of(name) for of_run in labels}) > 1:
                        yield f"dimension {name} of scorer {label} is left out: its scale is not the same in all runs"
                else:
                    yield f"dimension {name} of scorer {label} is left out: not all runs have it"


def _official(connection: Connection, runs: Sequence[Run], scores: Sequence[RunScores]) -> list[ComparedTable]:
    """Return the official tables where the runs are of one benchmark and follow one recipe."""
    recipes = {(run.benchmark_id, (run.configuration.get("recipe") or {}).get("digest")) for run in runs}
    if len(recipes) > 1:
        return []
    reports = {run.id: official_tables(connection, run, found) for run, found in zip(runs, scores, strict=True)}
    return list(compared_tables({run_id: report for run_id, report in reports.items() if report is not None}))


# -- dimension by dimension --------------------------------------------------------------------------------------------


def _dimensions(runs: Sequence[Run], scores: Sequence[RunScores], shared: _Shared) -> Iterator[ComparedDimension]:
    by_label = [{scorer.label: scorer for scorer in found.scorers} for found in scores]
    asked = scores[0].asked
    first_edits = _first_edits(scores[0])[shared.places[0]]
    for label in by_label[0]:
        scorers = [of_run[label] for of_run in by_label if label in of_run]
        if len(scorers) < len(runs) or len({scorer.scale for scorer in scorers}) > 1:
            continue
        for name in _shared_dimensions(scorers):
            values = [
                _by_sample(found, scorer, name)[places]
                for found, scorer, places in zip(scores, scorers, shared.places, strict=True)
            ]
            beside = Beside(
                [run.id for run in runs],
                np.stack(values),
                asked.image[first_edits],
                asked.category[first_edits],
                asked.categories,
            )
            yield compare_dimension(label, name, scorers[0].scale_of(name), beside)


def _shared_dimensions(scorers: Sequence[ScorerScores]) -> list[str]:
    """Return the dimensions that all of them give on one scale."""
    shared = [name for name in scorers[0].dimensions if all(name in one.dimensions for one in scorers)]
    return [name for name in shared if len({one.scale_of(name) for one in scorers}) == 1]


def _first_edits(scores: RunScores) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return one edit of each sample: where its category and source image are found."""
    return np.unique(scores.asked.sample, return_index=True)[1]


def _by_sample(scores: RunScores, scorer: ScorerScores, name: str) -> Numbers:
    """Return each sample's mean over its repeats, each of which is the mean over its judge repeats."""
    by_repeat = scores.asked.by_repeat(mean_of_rows(scorer.dimensions[name]))
    return np.round(mean_of_rows(by_repeat), DIGITS)
