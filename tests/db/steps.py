"""The steps of a job's life that tests take before they come to what they are about."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, select

from db.engine import open_engine, reading
from db.jobs import Claim, Claimant, Done, Doorbell, EditClaim, Failure, ScoreClaim
from db.ledger import Ledger
from db.owner import Owner, Process
from db.tables import JOB_TABLES, FailureKind, Stage, edits, run_scorers, runs, samples, scores
from db.to_do import with_run
from tests.factories import enter

IMAGE = "e" * 64
"""A digest; the ledger never looks for the image behind it."""

FAULT = Failure(FailureKind.INPUT, "image is empty")
PASSING_FAULT = Failure(FailureKind.STORE, "disk full", again=True)


@cache
def empty_ledger() -> bytes:
    """Return a ledger file without rows; migrating it once is enough."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        open_engine(f"sqlite:///{file}").dispose()
        return file.read_bytes()


def owner(number: int = 1, delivery: str = "d-1") -> Owner:
    """Return a process of another host: only its lease tells whether it lives."""
    return Owner(Process("elsewhere/4026531836", number, "100"), delivery)


def claimant(by: Owner | None = None, worker: str = "gpu-0") -> Claimant:
    """Return who claims: the first process on the first worker where nothing else is said."""
    return Claimant(by or owner(), worker)


def job_ids(ledger: Ledger, stage: Stage, run_id: str) -> list[int]:
    """Return the run's jobs of that stage, in the order of their ids."""
    jobs = JOB_TABLES[stage]
    query = select(jobs.c.id).select_from(with_run(stage)).where(runs.c.id == run_id).order_by(jobs.c.id)
    with reading(ledger.engine) as connection:
        return list(connection.scalars(query))


def job(ledger: Ledger, stage: Stage, job_id: int) -> Row[Any]:
    """Return the job as the ledger has it."""
    jobs = JOB_TABLES[stage]
    with reading(ledger.engine) as connection:
        return connection.execute(select(jobs).where(jobs.c.id == job_id)).one()


def queued_edit(ledger: Ledger, **given: Any) -> int:
    """Enter a run of one sample; return its edit."""
    return job_ids(ledger, Stage.EDIT, enter(ledger, **given))[0]


def claim_edit(ledger: Ledger, edit_id: int, by: Owner | None = None, worker: str = "gpu-0") -> EditClaim | None:
    """Claim this very edit; None when it is not to be had."""
    claims = ledger.claim_edits(edits.c.id == edit_id, claimant(by, worker))
    return claims[0] if claims else None


def claimed(ledger: Ledger, edit_id: int, by: Owner | None = None) -> EditClaim:
    """Claim an edit that must be there for the taking."""
    claim = claim_edit(ledger, edit_id, by)
    assert claim is not None
    return claim


def finish_edit(
    ledger: Ledger,
    claim: Claim,
    image: str,
    *,
    seconds: float,
    detail: Mapping[str, object] | None = None,
    environment: str | None = None,
) -> list[Doorbell] | None:
    """Finish one edit; return the messages to send, None when its claim no longer counts."""
    assert isinstance(claim, EditClaim)
    kept, doorbells = ledger.finish_edits([(claim, Done(image, seconds, detail, environment))])
    return doorbells if kept else None


def finish_score(
    ledger: Ledger,
    claim: Claim,
    value: float,
    *,
    seconds: float,
    detail: Mapping[str, object] | None = None,
    environment: str | None = None,
) -> bool:
    """Give one score; False when its claim no longer counts."""
    assert isinstance(claim, ScoreClaim)
    return bool(ledger.finish_scores([(claim, Done(value, seconds, detail, environment))]))


def queued_scores(ledger: Ledger, samples: int = 1, **given: Any) -> list[int]:
    """Enter a run, make all its edits and return the scores that wait now."""
    run_id = enter(ledger, samples, **given)
    for edit_id in job_ids(ledger, Stage.EDIT, run_id):
        assert finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0, detail={}) is not None
    return job_ids(ledger, Stage.SCORE, run_id)


def claimed_scores(ledger: Ledger, score_ids: Sequence[int], by: Owner | None = None) -> list[ScoreClaim]:
    """Claim at once what of these scores may be claimed together."""
    return ledger.claim_scores(scores.c.id.in_(score_ids), claimant(by), len(score_ids))


def scorer_labels(engine: Engine, run_id: str) -> list[str]:
    """Return the run's scorers in the order they were asked for."""
    each_once = (run_scorers.c.run_id == run_id, run_scorers.c.repeat == 0)
    query = select(run_scorers.c.label).where(*each_once).order_by(run_scorers.c.id)
    with reading(engine) as connection:
        return list(connection.scalars(query))


def edit_outcomes(engine: Engine, run_id: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return (id, category, key, repeat, state, failure_kind, failure_reason) of every edit, in benchmark order."""
    query = (
        select(
            edits.c.id,
            samples.c.category,
            samples.c.key,
            edits.c.repeat,
            edits.c.state,
            edits.c.failure_kind,
            edits.c.failure_reason,
        )
        .join(samples, edits.c.sample_id == samples.c.id)
        .where(edits.c.run_id == run_id)
        .order_by(samples.c.position, edits.c.repeat)
    )
    with reading(engine) as connection:
        return connection.execute(query).all()


def score_outcomes(engine: Engine, run_id: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return (edit_id, label, judge_repeat, state, value, failure_kind, failure_reason) of every score that exists."""
    query = (
        select(
            scores.c.edit_id,
            run_scorers.c.label,
            run_scorers.c.repeat.label("judge_repeat"),
            scores.c.state,
            scores.c.value,
            scores.c.failure_kind,
            scores.c.failure_reason,
        )
        .join(run_scorers, scores.c.scorer_id == run_scorers.c.id)
        .where(run_scorers.c.run_id == run_id)
    )
    with reading(engine) as connection:
        return connection.execute(query).all()
