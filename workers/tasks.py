"""The two tasks, `edit` and `score`: claim in the ledger, do it, write the outcome, send what it owes."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import structlog
from celery import Task
from kombu.exceptions import OperationalError

from celeryconfig import message_for
from db import farm
from db.doorbells import ring
from db.environments import enter_environment
from db.jobs import Claim, Doorbell, Failure, ScoreClaim
from db.owner import Owner, this_process
from db.settings import farm_home, settings
from db.tables import Stage
from workers.app import app
from workers.progress import Progress

if TYPE_CHECKING:
    from workers.perform import Scored
    from workers.resident import Resident

log = structlog.get_logger()


@cache
def progress() -> Progress:
    """Return what tells of this pool child's work."""
    return Progress()


@cache
def resident() -> Resident:
    """Return this pool child's one resident model."""
    from workers.host import Host
    from workers.resident import Resident

    folder = farm_home() / "hosts" / socket.gethostname()  # FARM_HOME may be a folder that several hosts share
    reserve_bytes = round(settings().host_reserve_gb * 1e9)
    host = Host(folder, loads_at_once=settings().loads_at_once, reserve_bytes=reserve_bytes)
    return Resident(host, show=progress().show, wait=progress().wait)


def send(doorbell: Doorbell) -> None:
    """Send one message. Raises kombu's OperationalError when the broker does not take it."""
    app.send_task(**message_for(doorbell))


@app.task(name=Stage.EDIT.value, bind=True, typing=True)
def edit(self: Task[..., None], edit_id: int) -> None:
    """Make one edit, unless the ledger says that there is nothing to do; then queue its scores."""
    ledger = farm.ledger()
    claim = ledger.claim_edit(edit_id, _owner(self), _worker(self))
    if claim is None:
        return
    from workers.perform import perform_edit  # the parent imports this module too, and needs no images

    progress().begin(self, model=claim.model.label, key=claim.key)
    outcome = perform_edit(claim, farm.images(), resident(), progress().step)
    if isinstance(outcome, Failure):
        _fail(claim, outcome)
        return
    doorbells = ledger.finish_edit(
        claim,
        outcome.image,
        seconds=outcome.seconds,
        detail=outcome.detail,
        environment=_environment(outcome.facts),
    )
    if doorbells is None:
        _log_lost(claim)
        return
    log.info("edit.done", **_ids(claim), seconds=round(outcome.seconds, 3))
    try:
        ring(ledger, doorbells, send)
    except OperationalError as error:  # owed in the ledger now; the lease keeper sends it when the broker is back
        log.warning("score.message_owed", **_ids(claim), reason=str(error))


@app.task(name=Stage.SCORE.value, bind=True, typing=True)
def score(self: Task[..., None], score_id: int) -> None:
    """Give one score together with others that wait for the same scorer; each is committed by itself."""
    ledger = farm.ledger()
    claims = ledger.claim_scores(score_id, _owner(self), _worker(self))
    if not claims:
        return
    from workers.perform import perform_scores

    progress().begin(self, model=claims[0].model.label, key=claims[0].key)
    progress().show("scoring")
    for claim, outcome in zip(claims, perform_scores(claims, farm.images(), resident()), strict=True):
        if isinstance(outcome, Failure):
            _fail(claim, outcome)
        else:
            _finish_score(claim, outcome)


def _finish_score(claim: ScoreClaim, outcome: Scored) -> None:
    written = farm.ledger().finish_score(
        claim,
        outcome.value,
        seconds=outcome.seconds,
        detail=outcome.detail,
        environment=_environment(outcome.facts),
    )
    if written:
        log.info("score.done", **_ids(claim), value=round(outcome.value, 3), seconds=round(outcome.seconds, 3))
    else:
        _log_lost(claim)


def _environment(facts: Mapping[str, object]) -> str:
    """Return the id under which the ledger knows these facts; entered once by each child."""
    return _entered_environment(json.dumps(facts, sort_keys=True))


@lru_cache(maxsize=16)
def _entered_environment(facts: str) -> str:
    return enter_environment(farm.engine(), json.loads(facts))


def _owner(task: Task[..., None]) -> Owner:
    return Owner(this_process(), str(task.request.id))


def _worker(task: Task[..., None]) -> str:
    return str(task.request.hostname)


def _fail(claim: Claim, failure: Failure) -> None:
    state = farm.ledger().fail(claim, failure)
    if state is None:
        _log_lost(claim)
        return
    # "queued" here means that it is tried again, "failed" that this is final
    log.warning(f"{claim.stage}.failed", **_ids(claim), now=state.value, kind=failure.kind.value, reason=failure.reason)


def _log_lost(claim: Claim) -> None:
    log.warning(f"{claim.stage}.refused", **_ids(claim), reason="taken over or cancelled; this result is dropped")


def _ids(claim: Claim) -> dict[str, Any]:
    return {"id": claim.job_id, "run": claim.run_id, "sample": claim.key, "attempt": claim.attempt}
