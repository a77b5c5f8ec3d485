"""Runs put straight into the ledger, row by row, with whatever text and outcome a test is about; and their reports."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from PIL import Image
from sqlalchemy import Connection, Engine, insert

from db.categories import ENGLISH_ALIASES
from db.engine import transaction
from db.images import ImageStore, digest_of
from db.samples import RecordedSample, RecordedScore, recorded_samples
from db.tables import State, benchmarks, edits, run_scorers, runs, samples, scores
from producer.report.schema import (
    HISTOGRAM_BINS,
    OVERALL,
    Benchmark,
    Bound,
    Dimension,
    Failed,
    Figures,
    Interval,
    Macro,
    Method,
    Provenance,
    Report,
    ScorerReport,
    Spread,
)


@dataclass(frozen=True)
class Score:
    """A score as it shall stand in the ledger; without value and failure it is still to come."""

    value: float | None = None
    failure: tuple[str, str] | None = None
    reasoning: str = ""
    criteria: Mapping[str, float] = field(default_factory=dict)
    reply: str = ""
    retried: bool = False
    judge_repeat: int = 0


@dataclass(frozen=True)
class Edit:
    """An edit as it shall stand in the ledger, with its scores by their scorers' labels."""

    image: str | None = None
    failure: tuple[str, str] | None = None
    scores: Mapping[str, Score | Sequence[Score]] = field(default_factory=dict)
    retried: bool = False


@dataclass(frozen=True)
class Sample:
    """A sample as it shall stand in the ledger, with the run's edits of it by repeat."""

    key: str
    source: str
    edits: Sequence[Edit] = ()
    category: str = "物理"
    instruction: str = "make it rain"
    description: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Scorer:
    """A scorer of a run."""

    label: str
    scale: tuple[float, float] = (0.0, 10.0)
    repeats: int = 1


def picture(images: ImageStore, colour: str, width: int = 64, height: int = 48, *, kind: str = "PNG") -> str:
    """Put a picture of one colour into the store; return its digest."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, kind)
    return images.put(written.getvalue())


def enter(
    engine: Engine, run: str, given: Sequence[Sample], scorers: Sequence[Scorer], *, name: str = "评测"
) -> Report:
    """Enter a benchmark and a run of it with all its outcomes; return the run's report."""
    benchmark = digest_of(run.encode())
    with transaction(engine) as connection:
        about = {"id": benchmark, "name": name, "sample_count": len(given), "created_at": 0.0, "complete": True}
        connection.execute(insert(benchmarks).values(about))
        asked = {"id": run, "benchmark_id": benchmark, "configuration": {}, "priority": "normal", "created_at": 0.0}
        connection.execute(insert(runs).values(asked))
        scorer_ids = _enter_scorers(connection, run, scorers)
        for position, sample in enumerate(given):
            _enter_sample(connection, benchmark, run, position, sample, scorer_ids)
    return report_of(engine, run, scorers, name=name)


def _enter_scorers(connection: Connection, run: str, scorers: Sequence[Scorer]) -> dict[tuple[str, int], int]:
    ids = {}
    for scorer in scorers:
        least, best = scorer.scale
        for repeat in range(scorer.repeats):
            row = {"run_id": run, "label": scorer.label, "configuration": {}, "batch_size": 1, "repeat": repeat}
            made = connection.execute(insert(run_scorers).values(**row, scale_min=least, scale_max=best))
            ids[scorer.label, repeat] = made.inserted_primary_key[0]
    return ids


def _enter_sample(
    connection: Connection, benchmark: str, run: str, position: int, sample: Sample, scorer_ids: Mapping[Any, int]
) -> None:
    row = {"benchmark_id": benchmark, "position": position, "key": sample.key, "category": sample.category}
    row |= {"instruction": sample.instruction, "description": sample.description}
    row |= {"source_image": sample.source, "reference_image": sample.reference}
    sample_id = connection.execute(insert(samples).values(row)).inserted_primary_key[0]
    for repeat, edit in enumerate(sample.edits):
        outcome = _outcome(edit.image is not None, edit.failure, edit.retried)
        made = {"run_id": run, "sample_id": sample_id, "repeat": repeat, "image": edit.image}
        edit_id = connection.execute(insert(edits).values(**outcome, **made)).inserted_primary_key[0]
        rows = [_score_row(edit_id, scorer_ids[label, one.judge_repeat], one) for label, one in _each(edit)]
        if rows:
            connection.execute(insert(scores), rows)


def _each(edit: Edit) -> Iterator[tuple[str, Score]]:
    for label, given in edit.scores.items():
        yield from ((label, one) for one in ([given] if isinstance(given, Score) else given))


def _score_row(edit_id: int, scorer_id: int, score: Score) -> dict[str, Any]:
    said = {"reasoning": score.reasoning, "criteria": dict(score.criteria)}
    detail = {"reply": score.reply} if score.failure else said
    outcome = _outcome(score.value is not None, score.failure, score.retried)
    return {"edit_id": edit_id, "scorer_id": scorer_id, "value": score.value, "detail": detail, **outcome}


def _outcome(done: bool, failure: tuple[str, str] | None, retried: bool) -> dict[str, Any]:
    state = State.DONE if done else State.FAILED if failure else State.QUEUED
    ended = state is not State.QUEUED
    kind, reason = failure or (None, None)
    return {
        "state": state,
        "attempt": int(ended),
        "not_before": 0.0,
        "seconds": 1.5 if done else None,
        "finished_at": 1.0 if ended else None,
        "failure_kind": kind,
        "failure_reason": reason,
        "retried": retried,
    }


# -- the report of it: plain means, so that the page has something to show ---------------------------------------------


def report_of(engine: Engine, run: str, scorers: Sequence[Scorer], *, name: str) -> Report:
    """Return a report with true means and counts, and intervals that are made up."""
    recorded = recorded_samples(engine, run)
    open_jobs = any(edit.state is State.QUEUED for sample in recorded for edit in sample.edits)
    return Report(
        run=run,
        benchmark=Benchmark(digest=digest_of(run.encode()), name=name, samples=len(recorded)),
        editor=f"editor-{run[0]}",
        partial=open_jobs,
        missing="1 edits and 2 scores are still to come" if open_jobs else None,
        progress={},
        method=Method(interval="bootstrap over source images", level=0.95, resamples=10_000, seed=0),
        scorers=[_scorer_report(scorer, recorded) for scorer in scorers],
        agreement=[],
        failures=[],
        provenance=_provenance(),
    )


def _provenance() -> Provenance:
    return Provenance(
        configuration={"editor": {"label": "simulated"}, "seed": 0},
        environments=[{"facts": {"gpu": "none"}, "edits": 3}],
        shared_edits={},
        retried_edits=0,
        retried_scores=1,
        priority="normal",
        created_at=1_750_000_000.0,
        finished_at=1_750_003_600.0,
        editfarm="0.1.0",
    )


def _scorer_report(scorer: Scorer, recorded: Sequence[RecordedSample]) -> ScorerReport:
    names = dict.fromkeys(name for score in _of(scorer, recorded) for name in score.criteria)
    dimensions = [_dimension(name, scorer, recorded) for name in (OVERALL, *names)]
    spread = Spread(sd=None, groups=0)
    return ScorerReport(
        scorer=scorer.label,
        scale=scorer.scale,
        dimensions=dimensions,
        spread_over_seeds=spread,
        spread_over_judging=spread,
    )


def _of(scorer: Scorer, recorded: Sequence[RecordedSample]) -> list[RecordedScore]:
    edits_of_all = [edit for sample in recorded for edit in sample.edits]
    return [score for edit in edits_of_all for score in edit.scores if score.scorer == scorer.label]


def _dimension(name: str, scorer: Scorer, recorded: Sequence[RecordedSample]) -> Dimension:
    categories = dict.fromkeys(sample.category for sample in recorded)
    each = [_figures(category, name, scorer, recorded) for category in categories]
    means = [figures.mean for figures in each if figures.mean is not None]
    mean = fmean(means) if means else None
    histogram = [0] * HISTOGRAM_BINS
    least, best = scorer.scale
    for value in _values(name, _of(scorer, recorded)):
        histogram[min(HISTOGRAM_BINS - 1, int((value - least) / (best - least) * HISTOGRAM_BINS))] += 1
    return Dimension(
        name=name,
        overall=_figures(None, name, scorer, recorded),
        macro=Macro(categories=len(means), mean=mean, ci=_around(mean), lower_bound=Bound(mean=mean, ci=None)),
        categories=each,
        histogram=histogram,
    )


def _values(name: str, given: Sequence[RecordedScore]) -> list[float]:
    values = (score.value if name == OVERALL else score.criteria.get(name) for score in given)
    return [value for value in values if value is not None]


def _figures(category: str | None, name: str, scorer: Scorer, recorded: Sequence[RecordedSample]) -> Figures:
    inside = [sample for sample in recorded if category in (None, sample.category)]
    given = _of(scorer, inside)
    values = _values(name, given)
    asked = sum(len(sample.edits) for sample in inside) * scorer.repeats
    edit_failed = sum(edit.state is State.FAILED for sample in inside for edit in sample.edits)
    judge_failed = sum(score.state is State.FAILED for score in given)
    mean = fmean(values) if values else None
    return Figures(
        category=category,
        alias=ENGLISH_ALIASES.get(category or ""),
        n=asked,
        scored=len(values),
        failed=Failed(edit_failed=edit_failed, judge_failed=judge_failed),
        open=max(0, asked - len(values) - edit_failed - judge_failed),
        not_given=0,
        left_out=0,
        images=len(inside),
        coverage=len(values) / asked if asked else None,
        mean=mean,
        sd=None,
        median=None,
        min=min(values, default=None),
        max=max(values, default=None),
        ci=_around(mean),
        lower_bound=Bound(mean=mean, ci=None),
    )


def _around(mean: float | None) -> Interval | None:
    return None if mean is None else Interval(low=mean - 0.4, high=mean + 0.4)
