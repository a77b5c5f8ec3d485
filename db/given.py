"""Edited images that are there already, entered as the edits of a run: nothing is made, and only scores are queued."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, and_, create_engine, exists, insert, select

from db.choice import GIVEN, ModelChoice
from db.configuration import RunConfiguration
from db.engine import database_clock, transaction
from db.intake import Asked, asked_samples, by_turns, count_anew, enter_asked, found_again
from db.prompts import OwnPrompt, prompts_as_json
from db.tables import FailureKind, State, edits, run_scorers, samples, scores
from db.transitions import queue_scores

AT_ONCE = 5000
"""So many rows are sent to the database together."""


@dataclass(frozen=True, slots=True)
class GivenEdit:
    """One edit of the sample at this position of its benchmark.

    `image` is a digest of the image store; where it is None, `missing` says what was looked for.
    """

    position: int
    repeat: int
    image: str | None
    missing: str = ""


def with_images(configuration: RunConfiguration, given: Sequence[GivenEdit]) -> RunConfiguration:
    """Return the configuration of a run of just these images: of others it is another one."""
    digest = hashlib.sha256()
    for edit in sorted(given, key=_place):
        digest.update(json.dumps([edit.position, edit.repeat, edit.image]).encode() + b"\n")
    editor = ModelChoice(GIVEN, configuration.editor.label, {"images": digest.hexdigest()})
    repeats = 1 + max((edit.repeat for edit in given), default=0)
    return configuration.model_copy(update={"editor": editor, "repeats": repeats})


def asked_positions(names: Sequence[tuple[str, str]], configuration: RunConfiguration) -> set[int]:
    """Return the positions of those of a benchmark's samples, (category, key) each, that such a run asks for.

    Before any sample is in the ledger; a database in memory is asked, so that one rule holds for both.
    """
    engine = create_engine("sqlite://")
    rows = [
        {"position": position, "category": category, "key": key, **_UNASKED}
        for position, (category, key) in enumerate(names)
    ]
    try:
        with engine.begin() as connection:
            samples.create(connection)
            if rows:
                connection.execute(insert(samples), rows)
            return set(connection.scalars(_asked("", configuration)))
    finally:
        engine.dispose()


_UNASKED = {"benchmark_id": "", "instruction": "", "source_image": ""}
"""Of a sample, what does not decide whether it is asked for."""


def _asked(benchmark_id: str, configuration: RunConfiguration) -> Any:
    return select(samples.c.position).where(asked_samples(benchmark_id, configuration.subset))


def enter_given(
    engine: Engine,
    benchmark_id: str,
    configuration: RunConfiguration,
    given: Sequence[GivenEdit],
    own: Mapping[str, OwnPrompt],
) -> tuple[str, bool]:
    """Enter a run of these edits, done or missing, with the scores of what is done queued; all or nothing.

    The images are in the store already, the configuration is that `with_images` of just these edits. They are shared
    with no other run. Return the run's id, and False when it was there already; then only edits that somebody deleted
    are entered, with their scores.
    """
    asked = Asked(benchmark_id, configuration, None, prompts_as_json(own))
    with transaction(engine) as connection:
        new = not found_again(connection, asked)
        now = database_clock(connection)
        if new:
            enter_asked(connection, asked, now)
        entered = _enter_edits(connection, asked, given, now)
        if entered:
            connection.execute(queue_scores(_done_without_score(asked.run_id), now))
            count_anew(connection, entered)
    return asked.run_id, new


def _enter_edits(connection: Connection, asked: Asked, given: Sequence[GivenEdit], now: float) -> int:
    """Enter those of the edits that are not there, categories in turns; return how many that were."""
    by_place = {_place(edit): edit for edit in given}
    for place in _places_there(connection, asked.run_id):
        by_place.pop(place, None)
    in_turns = select(samples.c.position, samples.c.id).where(samples.c.benchmark_id == asked.benchmark_id)
    ordered = connection.execute(in_turns.order_by(*by_turns())).all()
    rows = (
        {"run_id": asked.run_id, "sample_id": sample_id, **_outcome(edit, now)}
        for repeat in range(asked.configuration.repeats)
        for position, sample_id in ordered
        if (edit := by_place.get((position, repeat))) is not None
    )
    while some := list(islice(rows, AT_ONCE)):
        connection.execute(insert(edits), some)
    return len(by_place)


def _places_there(connection: Connection, run_id: str) -> Iterator[tuple[int, int]]:
    query = select(samples.c.position, edits.c.repeat).join(samples, edits.c.sample_id == samples.c.id)
    yield from (tuple(row) for row in connection.execute(query.where(edits.c.run_id == run_id)))


def _place(edit: GivenEdit) -> tuple[int, int]:
    return edit.position, edit.repeat


def _outcome(edit: GivenEdit, now: float) -> dict[str, Any]:
    is_there = edit.image is not None
    return {
        "repeat": edit.repeat,
        "state": (State.DONE if is_there else State.FAILED).value,
        "image": edit.image,
        "failure_kind": None if is_there else FailureKind.MISSING.value,
        "failure_reason": None if is_there else edit.missing,
        "attempt": 1 if is_there else 0,  # none that is done has had none
        "not_before": now,
        "finished_at": now,
    }


def _done_without_score(run_id: str) -> Any:
    there = exists().where(scores.c.edit_id == edits.c.id, scores.c.scorer_id == run_scorers.c.id)
    return and_(edits.c.run_id == run_id, edits.c.state == State.DONE, ~there)
