"""What came of each sample of a run, one by one: its edits with their images, and what every scorer said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from db.engine import reading
from db.outcomes import numbers_in
from db.tables import State, edits, run_scorers, runs, samples, scores


@dataclass(frozen=True)
class RecordedFailure:
    """Why a job ended without a result; `reply` is what an unreadable judge had answered, empty where it had not."""

    kind: str
    reason: str
    reply: str = ""


@dataclass(frozen=True)
class RecordedScore:
    """One score as the ledger has it: `value` and `criteria` on the scorer's scale, `judge_repeat` from 0."""

    scorer: str
    judge_repeat: int
    state: State
    value: float | None
    criteria: Mapping[str, float]
    reasoning: str
    failure: RecordedFailure | None
    seconds: float | None
    retried: bool


@dataclass(frozen=True)
class RecordedEdit:
    """One edit with its scores, in the order in which the scorers were asked for; `image` is a digest, once there."""

    repeat: int
    state: State
    image: str | None
    failure: RecordedFailure | None
    seconds: float | None
    retried: bool
    scores: Sequence[RecordedScore]


@dataclass(frozen=True)
class RecordedSample:
    """A sample as the benchmark gave it, images by their digests, with its edits by repeat."""

    category: str
    key: str
    instruction: str
    description: str | None
    source_image: str
    more_sources: tuple[str, ...]
    reference_image: str | None
    reference_text: str | None
    edits: Sequence[RecordedEdit]


def recorded_samples(engine: Engine, run_id: str) -> list[RecordedSample]:
    """Return every sample that the run asks for, in the benchmark's order, with all that came of it by this moment."""
    with reading(engine) as connection:
        by_edit = _scores(connection, run_id)
        by_sample = _edits(connection, run_id, by_edit)
        asked = select(runs.c.benchmark_id).where(runs.c.id == run_id).scalar_subquery()
        columns = (samples.c[name] for name in ("id", "more_sources", *_GIVEN))
        query = select(*columns).where(samples.c.benchmark_id == asked).order_by(samples.c.position)
        return [_sample(row, by_sample[row.id]) for row in connection.execute(query) if row.id in by_sample]


_GIVEN = ("category", "key", "instruction", "description", "source_image", "reference_image", "reference_text")

_OUTCOME = ("state", "failure_kind", "failure_reason", "seconds", "detail", "retried")


def _sample(row: Row[Any], edits: Sequence[RecordedEdit]) -> RecordedSample:
    given = {name: getattr(row, name) for name in _GIVEN}
    return RecordedSample(**given, more_sources=tuple(row.more_sources.split()), edits=edits)


def _edits(
    connection: Connection, run_id: str, by_edit: Mapping[int, Sequence[RecordedScore]]
) -> Mapping[int, Sequence[RecordedEdit]]:
    """Return the run's edits by the ids of their samples."""
    found: dict[int, list[RecordedEdit]] = defaultdict(list)
    columns = (edits.c[name] for name in ("id", "sample_id", "repeat", "image", *_OUTCOME))
    query = select(*columns).where(edits.c.run_id == run_id).order_by(edits.c.sample_id, edits.c.repeat)
    for row in connection.execute(query):
        edit = RecordedEdit(
            repeat=row.repeat,
            state=State(row.state),
            image=row.image,
            failure=_failure(row),
            seconds=row.seconds,
            retried=row.retried,
            scores=by_edit[row.id],
        )
        found[row.sample_id].append(edit)
    return found


def _scores(connection: Connection, run_id: str) -> Mapping[int, Sequence[RecordedScore]]:
    """Return the run's scores by the ids of their edits."""
    found: dict[int, list[RecordedScore]] = defaultdict(list)
    columns = (scores.c[name] for name in ("edit_id", "value", *_OUTCOME))
    query = (
        select(run_scorers.c.label, run_scorers.c.repeat, *columns)
        .join(run_scorers, scores.c.scorer_id == run_scorers.c.id)
        .where(run_scorers.c.run_id == run_id)
        .order_by(run_scorers.c.id)
    )
    for row in connection.execute(query):
        found[row.edit_id].append(_score(row))
    return found


def _score(row: Row[Any]) -> RecordedScore:
    detail = row.detail or {}
    return RecordedScore(
        scorer=row.label,
        judge_repeat=row.repeat,
        state=State(row.state),
        value=row.value,
        criteria=dict(numbers_in(detail.get("criteria"))),
        reasoning=str(detail.get("reasoning") or ""),
        failure=_failure(row),
        seconds=row.seconds,
        retried=row.retried,
    )


def _failure(row: Row[Any]) -> RecordedFailure | None:
    if row.failure_kind is None:
        return None
    return RecordedFailure(row.failure_kind, row.failure_reason, str((row.detail or {}).get("reply") or ""))
