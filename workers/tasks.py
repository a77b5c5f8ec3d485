"""The two tasks, `edit` and `score`: claim in the ledger, do it, write the outcome, send what it owes."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from celery import Task

from celeryconfig import message_for
from db import farm, transitions
from db.doorbells import ring
from db.environments import enter_environment
from db.jobs import Claim, Doorbell, EditClaim, Failure, ScoreClaim
from db.owner import Owner, process_of, this_process
from db.settings import farm_home, settings
from db.tables import FailureKind, Stage
from workers.app import app
from workers.models.errors import DeviceBroken, Withdrawn
from workers.progress import Progress
from workers.pulse import DEVICE_BROKEN_EXIT, Pulse, pulse_of

if TYPE_CHECKING:
    from workers.outages import Outages
    from workers.perform import Edited, Scored
    from workers.resident import Resident

log = structlog.get_logger()

T = TypeVar("T")


@cache
def pulse() -> Pulse:
    """Return what this pool child shows its parent."""
    return pulse_of(this_process())


@cache
def progress() -> Progress:
    """Return what tells of this pool child's work."""
    return Progress(pulse().beat, patient=pulse().patient)


@cache
def outages() -> Outages:
    """Return how this pool child outlasts a database or a disk that is gone for a while."""
    from workers.outages import Outages

    return Outages(shown=pulse().patient, wait=progress().wait)


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
    claim = _outlast(lambda: farm.ledger().claim_edit(edit_id, _owner(self), _worker(self)))
    if claim is None:
        return
    from workers.perform import perform_edit  # the parent imports this module too, and needs no images

    with _at_work(self, [claim]):
        outcome = perform_edit(claim, farm.images(), resident(), progress().step, outages().outlast)
        if isinstance(outcome, Failure):
            _fail(claim, outcome)
        else:
            _finish_edit(claim, outcome)


@app.task(name=Stage.SCORE.value, bind=True, typing=True)
def score(self: Task[..., None], score_id: int) -> None:
    """Give one score together with others that wait for the same scorer; each is committed by itself."""
    claims = _outlast(lambda: farm.ledger().claim_scores(score_id, _owner(self), _worker(self)))
    if not claims:
        return
    from workers.perform import perform_scores

    with _at_work(self, claims):
        progress().show("scoring")
        outcomes = perform_scores(claims, farm.images(), resident(), progress().beat, outages().outlast)
        for claim, outcome in zip(claims, outcomes, strict=True):
            if isinstance(outcome, Failure):
                _fail(claim, outcome)
            else:
                _finish_score(claim, outcome)


@contextmanager
def _at_work(task: Task[..., None], claims: Sequence[Claim]) -> Iterator[None]:
    """Show, for the length of the block, that this child holds the claims; end with them where they end early."""
    first = claims[0]
    pulse().begin(str(task.request.id), f"{first.stage} {first.job_id}")
    progress().begin(task, model=first.model.label, key=first.key)
    try:
        # Arithmetic on pixels, or a server that is waited for: what runs on no GPU cannot hang there.
        with nullcontext() if _fills_gpu(first) else pulse().patient():
            yield
    except Withdrawn:
        for claim in claims:
            _log_lost(claim)
    except DeviceBroken as error:
        _end_with_the_device(claims, error)
    finally:
        pulse().end()


def _fills_gpu(claim: Claim) -> bool:
    from db.catalogue import Role, find_spec

    return find_spec(Role.EDITOR if claim.stage is Stage.EDIT else Role.SCORER, claim.model.name).fills_gpu


def _end_with_the_device(claims: Sequence[Claim], error: DeviceBroken) -> None:
    """Hand the jobs back and end this process: a broken context would fail every job after them.

    They wait before they come back, so that another GPU takes them, or this one shows itself at another job.
    """
    reason = f"the GPU of {claims[0].stage} {claims[0].job_id} failed: {error}"
    failure = Failure(FailureKind.POISON, reason, again=True, wait_seconds=transitions.GPU_WAIT_SECONDS)
    for claim in claims:
        _fail(claim, failure)
    log.error("device.broken", reason=str(error), next="this process ends, a new one starts")
    sys.stderr.flush()
    os._exit(DEVICE_BROKEN_EXIT)


def _finish_edit(claim: EditClaim, outcome: Edited) -> None:
    doorbells = _outlast(lambda: farm.ledger().finish_edit(claim, outcome.image, **_made(outcome)))
    if doorbells is None:
        _log_lost(claim)
        return
    log.info("edit.done", **_ids(claim), seconds=round(outcome.seconds, 3))
    try:
        with pulse().patient():  # a frozen broker
            ring(farm.ledger(), doorbells, send)
    except Exception as error:  # noqa: BLE001 - kombu raises many things for a broker that is gone; it is owed again
        log.warning("score.message_owed", **_ids(claim), reason=str(error))


def _finish_score(claim: ScoreClaim, outcome: Scored) -> None:
    if _outlast(lambda: farm.ledger().finish_score(claim, outcome.value, **_made(outcome))):
        log.info("score.done", **_ids(claim), value=round(outcome.value, 3), seconds=round(outcome.seconds, 3))
    else:
        _log_lost(claim)


def _made(outcome: Edited | Scored) -> dict[str, Any]:
    """Return what the ledger keeps beside a result; its environment is entered first."""
    return {
        "seconds": outcome.seconds,
        "detail": outcome.detail,
        "environment": _environment(outcome.facts),
    }


def _outlast(call: Callable[[], T]) -> T:
    return outages().outlast("the ledger", call)


def _environment(facts: Mapping[str, object]) -> str:
    """Return the id under which the ledger knows these facts; entered once by each child."""
    return _entered_environment(json.dumps(facts, sort_keys=True))


@lru_cache(maxsize=16)
def _entered_environment(facts: str) -> str:
    return enter_environment(farm.engine(), json.loads(facts))


def _owner(task: Task[..., None]) -> Owner:
    return Owner(this_process(), str(task.request.id), process_of(os.getppid()))


def _worker(task: Task[..., None]) -> str:
    return str(task.request.hostname)


def _fail(claim: Claim, failure: Failure) -> None:
    state = _outlast(lambda: farm.ledger().fail(claim, failure))
    if state is None:
        _log_lost(claim)
        return
    # "queued" here means that it is tried again, "failed" that this is final
    log.warning(f"{claim.stage}.failed", **_ids(claim), now=state.value, kind=failure.kind.value, reason=failure.reason)


def _log_lost(claim: Claim) -> None:
    log.warning(f"{claim.stage}.refused", **_ids(claim), reason="taken over or cancelled; this result is dropped")


def _ids(claim: Claim) -> dict[str, Any]:
    return {"id": claim.job_id, "run": claim.run_id, "sample": claim.key, "attempt": claim.attempt}
