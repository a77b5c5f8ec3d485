"""Runs put straight into the ledger, row by row, with whatever text and outcome a test is about; and their reports."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from sqlalchemy import Connection, Engine, insert

from db.engine import transaction
from db.images import ImageStore, digest_of
from db.tables import State, benchmarks, edits, run_scorers, runs, samples, scores
from producer.report.gather import gather_report
from producer.report.schema import Report


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
    more_sources: Sequence[str] = ()


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
        asked = {"id": run, "benchmark_id": benchmark, "configuration": _configuration(run, given, scorers)}
        asked |= {"priority": "normal", "created_at": 0.0}
        connection.execute(insert(runs).values(asked))
        scorer_ids = _enter_scorers(connection, run, scorers)
        for position, sample in enumerate(given):
            _enter_sample(connection, benchmark, run, position, sample, scorer_ids)
    return gather_report(engine, run)


def _configuration(run: str, given: Sequence[Sample], scorers: Sequence[Scorer]) -> dict[str, Any]:
    model = {"name": "simulated", "options": {}}
    return {
        "editor": {**model, "label": f"editor-{run[0]}"},
        "scorers": [{**model, "label": scorer.label} for scorer in scorers],
        "repeats": max((len(sample.edits) for sample in given), default=1),
        "seed": 0,
    }


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
    row |= {"more_sources": " ".join(sample.more_sources)}
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
