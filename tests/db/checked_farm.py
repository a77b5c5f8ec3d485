"""A farm to be checked by `fsck`: entered, worked on, damaged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from db.engine import transaction
from db.images import FolderStore, digest_of
from db.intake import enter_run, enter_samples
from db.ledger import Ledger
from db.queries import find_run, progress_of
from db.tables import Stage, State
from db.upkeep.finding import Finding, Inspection
from db.upkeep.fsck import findings
from tests.db.steps import claimed, claimed_scores, finish_edit, finish_score, job, job_ids
from tests.factories import configuration, content_digest, png

REFERENCE = png(colour="white")


def entered(ledger: Ledger, images: FolderStore, count: int = 2, **given: Any) -> str:
    """Enter a run of a benchmark whose images are in the store; return its id."""
    rows = [
        {
            "position": position,
            "key": f"p-{position}",
            "category": "物理",
            "instruction": "make it rain",
            "description": None,
            "source_image": images.put(source(position)),
            "reference_image": images.put(REFERENCE),
        }
        for position in range(count)
    ]
    benchmark = content_digest(rows)
    enter_samples(ledger.engine, benchmark, "评测", count, [rows])
    return enter_run(ledger.engine, benchmark, configuration(**given))[0]


def source(position: int) -> bytes:
    return png(width=position + 1)


def edited(edit_id: int) -> bytes:
    return png(height=edit_id + 1, colour="navy")


def work(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    """Do whatever of the run waits, as workers would."""
    for edit_id in job_ids(ledger, Stage.EDIT, run_id):
        if job(ledger, Stage.EDIT, edit_id).state == State.QUEUED:
            claim = claimed(ledger, edit_id)
            images.get(claim.source_image)
            assert finish_edit(ledger, claim, images.put(edited(edit_id)), seconds=1.0) is not None
    for score_id in job_ids(ledger, Stage.SCORE, run_id):
        for score in claimed_scores(ledger, [score_id]):
            images.get(score.edited_image)
            assert finish_score(ledger, score, 7.0, seconds=1.0)


def finished_run(ledger: Ledger, images: FolderStore) -> str:
    """Enter a run of two samples under two scorers, and finish it; return its id."""
    scorers = [{"name": "simulated", "label": label} for label in ("严", "宽")]
    run_id = entered(ledger, images, scorers=scorers)
    work(ledger, images, run_id)
    return run_id


def checked(ledger: Ledger, images: FolderStore, run_id: str | None = None, *, repair: bool = True) -> list[Finding]:
    run = None if run_id is None else find_run(ledger.engine, run_id)
    return list(findings(Inspection(ledger, images, run, repair=repair)))


def changed(engine: Engine, *statements: Any) -> None:
    """Change the ledger by hand."""
    with transaction(engine) as connection:
        for statement in statements:
            connection.execute(statement)


def lose(images: FolderStore, content: bytes, damage: bytes | None = None) -> str:
    """Lose an image, or leave damaged bytes in its place; return its digest."""
    path = images.path(digest_of(content))
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    return path.name


def finished(ledger: Ledger, run_id: str) -> bool:
    return progress_of(ledger.engine, run_id).complete
