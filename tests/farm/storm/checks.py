"""What must hold when the storm is over, each as the violations that were found of it."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image
from sqlalchemy import Engine, Row, select

from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.seeds import edit_seed
from db.tables import edits, run_scorers, runs, samples, scores
from tests.factories import score_request
from tests.farm.storm.demand import POISON_KEY, SCORERS, Asked
from tests.farm.storm.faults import STORE_FAULTS
from tests.farm.storm.history import Change, History
from tests.farm.storm.logs import Outcome
from tests.farm.storm.scene import Scene
from workers.models.protocols import EditRequest
from workers.models.simulated import SimulatedEditor, SimulatedScorer

_CHANGES = {
    ("queued", "running"): 1,  # claimed
    ("running", "running"): 1,  # taken over
    ("running", "queued"): 0,  # handed back, or tried again
    ("running", "done"): 0,
    ("running", "failed"): 0,
    ("queued", "failed"): 0,  # its attempts were used up
}
"""The changes of state there may be, with how much the attempt grows in each."""


def ledger_violations(scene: Scene, asked: Sequence[Asked], faults: set[str]) -> Iterator[str]:
    """Yield what the rows of the runs that were accepted have wrong."""
    allowed = {"poison", *(("store",) if faults.intersection(STORE_FAULTS) else ())}
    with scene.engine.connect() as connection:
        for run in asked:
            of_run = edits.c.run_id == run.run_id
            rows = connection.execute(
                select(edits, samples.c.key, samples.c.instruction, runs.c.configuration)
                .join(samples, edits.c.sample_id == samples.c.id)
                .join(runs, edits.c.run_id == runs.c.id)
                .where(of_run)
            ).all()
            given = connection.execute(
                select(scores, run_scorers.c.label, run_scorers.c.configuration)
                .join(edits, scores.c.edit_id == edits.c.id)
                .join(run_scorers, scores.c.scorer_id == run_scorers.c.id)
                .where(of_run)
            ).all()
            yield from _run_violations(scene, run, rows, given, allowed)


def _run_violations(
    scene: Scene, run: Asked, rows: Sequence[Row[Any]], given: Sequence[Row[Any]], allowed: set[str]
) -> Iterator[str]:
    if len(rows) != run.samples:
        yield f"run {run.run_id} has {len(rows)} edits for {run.samples} samples"
    of_edit: dict[int, list[Row[Any]]] = {row.id: [] for row in rows}
    for score in given:
        of_edit[score.edit_id].append(score)
        yield from (f"score {_shown(score)}: {wrong}" for wrong in _job_violations(score, allowed))
    for row in rows:
        yield from (f"edit {_shown(row)}: {wrong}" for wrong in _job_violations(row, allowed))
        expected = sorted(SCORERS) if row.state == "done" else []
        if sorted(score.label for score in of_edit[row.id]) != expected:
            yield f"edit {_shown(row)}: has scores of {[score.label for score in of_edit[row.id]]}"
        if row.state == "done":
            yield from (f"edit {_shown(row)}: {wrong}" for wrong in _image_violations(scene, row))
            yield from _value_violations(row, of_edit[row.id])


def _job_violations(row: Row[Any], allowed: set[str]) -> Iterator[str]:
    if row.state not in ("done", "failed"):
        yield "has not ended"
    if row.attempt > row.attempts_allowed:
        yield "was claimed more often than is allowed"
    if row.state == "failed" and row.failure_kind not in allowed:
        yield "failed for a reason that no fault explains"
    if row.state == "failed" and row.attempt != row.attempts_allowed:
        yield "failed with attempts left"


def _image_violations(scene: Scene, row: Row[Any]) -> Iterator[str]:
    """Yield what is wrong with the image of a done edit: the simulated editor draws it from sample and seed."""
    if row.key == POISON_KEY:
        yield "is done, though it kills its process"
        return
    try:
        content = (scene.store.folder / row.image[:2] / row.image).read_bytes()
    except FileNotFoundError:
        yield f"its image {row.image} is not in the store"
        return
    if hashlib.sha256(content).hexdigest() != row.image:
        yield f"its image {row.image} has another content"
        return
    options = SimulatedEditorOptions(**{**row.configuration["editor"]["options"], "seconds": 0, "load_seconds": 0})
    source = Image.new("RGB", (8, 8))
    request = EditRequest(row.key, row.instruction, source, _seed(row), lambda _step, _steps: None)
    expected = SimulatedEditor(options).edit(request).image
    with Image.open(io.BytesIO(content)) as image:
        if image.size != expected.size or image.tobytes() != expected.tobytes():
            yield f"its image {row.image} is not the one of this sample and seed"


def _value_violations(row: Row[Any], given: Sequence[Row[Any]]) -> Iterator[str]:
    for score in given:
        if score.state != "done":
            continue
        options = SimulatedScorerOptions(**{**score.configuration["options"], "seconds": 0, "load_seconds": 0})
        (expected,) = SimulatedScorer(options).score([score_request(key=row.key, seed=_seed(row))])
        if score.value != getattr(expected, "value", None):
            yield f"score {_shown(score)}: its value is {score.value} and not that of this sample and seed, {expected}"


def history_violations(
    history: History, outcomes: Mapping[tuple[str, int], Sequence[Outcome]], shared: Collection[int] = ()
) -> Iterator[str]:
    """Yield changes of state that must never be, and outcomes that were written twice, by ledger and by log.

    `shared`: the edits that have the image which another run had made.
    """
    for (stage, job), changes in history.items():
        for before, change in zip([None, *changes], changes, strict=False):
            grown = change.attempt - change.attempt_before
            if _CHANGES.get((change.before, change.after)) != grown and not (
                stage == "edit" and job in shared and _takes_over(change)
            ):
                yield f"{stage} {job}: went {change}"
            if before is not None and (before.after, before.attempt) != (change.before, change.attempt_before):
                yield f"{stage} {job}: between {before} and {change} something is missing"
        written = outcomes.get((stage, job), [])
        ended = [change.attempt for change in changes if change.after == "done"]
        if len(written) > 1:
            yield f"{stage} {job}: told to be done {len(written)} times: {written}"
        elif written and ended != [written[0].attempt]:
            yield f"{stage} {job}: told to be done in attempt {written[0].attempt}, in the ledger {ended}"


def shared_edits(engine: Engine) -> set[int]:
    """Return the ids of the edits that have the image of another run."""
    with engine.connect() as connection:
        return set(connection.scalars(select(edits.c.id).where(edits.c.made_for.is_not(None))))


def _takes_over(change: Change) -> bool:
    return (change.before, change.after) == ("queued", "done") and change.attempt == max(1, change.attempt_before)


def fsck_violations(scene: Scene) -> list[str]:
    """Return what `producer fsck` complains of, where that command exists."""
    if scene.producer("fsck", "--help").returncode:
        return []
    done = scene.producer("fsck")
    return [f"producer fsck exits {done.returncode}: {done.stdout} {done.stderr}"] if done.returncode else []


def failures(engine: Engine) -> list[str]:
    """Return the reason of every job that failed, numbers left out; without the sample that is made to."""
    made_to_fail = (
        select(edits.c.id).join(samples, edits.c.sample_id == samples.c.id).where(samples.c.key == POISON_KEY)
    )
    with engine.connect() as connection:
        reasons = [
            *connection.scalars(
                select(edits.c.failure_reason).where(edits.c.state == "failed", ~edits.c.id.in_(made_to_fail))
            ),
            *connection.scalars(select(scores.c.failure_reason).where(scores.c.state == "failed")),
        ]
    return [re.sub(r"\d+", "#", reason) for reason in reasons]


def open_jobs(engine: Engine) -> list[str]:
    """Return every job that waits or runs, as text."""
    with engine.connect() as connection:
        return [
            f"{table.name} {_shown(row)}"
            for table in (edits, scores)
            for row in connection.execute(select(table).where(table.c.state.in_(("queued", "running"))))
        ]


def _seed(row: Row[Any]) -> int:
    return edit_seed(row.configuration["seed"], row.key, row.repeat)


def _shown(row: Row[Any]) -> str:
    columns = (
        "id state attempt attempts_allowed worker owner lease_until not_before published_at started_at finished_at "
        "last_words failure_kind failure_reason"
    )
    return " ".join(f"{name}={getattr(row, name, None)!r}" for name in columns.split())
