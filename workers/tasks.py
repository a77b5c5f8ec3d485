"""The two tasks, `edit` and `score`: a message of either wakes the pool child, and it works until nothing is left.

Which job a message names does not matter any more when it comes: the ledger says what is to be done (`workers.supply`).
"""

from __future__ import annotations

import os
import socket
import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import structlog
from celery import Task

from celeryconfig import message_for
from db import farm
from db.gpus import gpu_of
from db.jobs import Doorbell
from db.owner import process_of, this_process
from db.seats import Seat
from db.settings import farm_home, settings
from db.tables import Stage
from workers.app import app
from workers.handed_back import tell_handed_back
from workers.models.errors import DeviceBroken
from workers.pulse import DEVICE_BROKEN_EXIT, pulse_of

if TYPE_CHECKING:
    from workers.stint import Desk

log = structlog.get_logger()


def send(doorbell: Doorbell) -> None:
    """Send one message. Raises kombu's OperationalError when the broker does not take it."""
    app.send_task(**message_for(doorbell))


def messages_waiting() -> dict[Stage, int]:
    """Return how many messages of each stage wait. Raises what kombu and redis raise for a broker that is gone."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        # Not passively: kombu would look for the queue without the farm's prefix, and find it empty at all times.
        return {stage: int(channel.queue_declare(stage.value).message_count) for stage in Stage}


@app.task(name=Stage.EDIT.value, bind=True, typing=True, send_events=False)
def edit(self: Task[..., None], _edit_id: int) -> None:
    """Make edits, and whatever else this worker serves, until there is nothing to do."""
    _work(self, Stage.EDIT)


@app.task(name=Stage.SCORE.value, bind=True, typing=True, send_events=False)
def score(self: Task[..., None], _score_id: int) -> None:
    """Give scores, likewise."""
    _work(self, Stage.SCORE)


def _work(task: Task[..., None], stage: Stage) -> None:
    from workers.stint import Stint  # the parent imports this module too, and needs no images

    desk = _desk(str(task.request.hostname))
    desk.begin(str(task.request.id), stage)
    Stint(desk, _end_with_the_device).work()


@cache
def _desk(worker: str) -> Desk:
    """Return what this pool child works with, for the whole of its life."""
    from workers.batch_sizes import BatchSizes
    from workers.host import Host
    from workers.keeping import Keeper
    from workers.outages import Outages
    from workers.pace import Pace
    from workers.progress import Progress
    from workers.resident import Resident
    from workers.ringing import Ringer
    from workers.sightings import Sightings
    from workers.stint import Desk
    from workers.supply import Said, Supply
    from workers.tally import worker_tally

    me, parent = this_process(), process_of(os.getppid())
    pulse, pace, sizes = pulse_of(me), Pace(), BatchSizes()
    progress = Progress(pulse.beat, gpu=gpu_of(worker))
    outages = Outages(shown=pulse.patient, wait=progress.waits)
    folder = farm_home() / "hosts" / socket.gethostname()  # FARM_HOME may be a folder that several hosts share
    reserve_bytes = round(settings().host_reserve_gb * 1e9)
    host = Host(folder, loads_at_once=settings().loads_at_once, reserve_bytes=reserve_bytes)
    ledger, tally = outages.outlast("the ledger", farm.ledger), worker_tally()
    ledger.on_handed_back = partial(tell_handed_back, tally)
    ringer = Ringer(ledger, send, waiting=messages_waiting, patient=pulse.patient)
    sightings = Sightings(app, worker)
    seat = Seat(worker, frozenset())
    return Desk(
        ledger=ledger,
        images=farm.images(),
        resident=Resident(host, show=progress.show, wait=progress.wait, tally=tally),
        supply=Supply(ledger, seat, Said(parent, gpu_of(worker)), pace=pace, sizes=sizes),
        pace=pace,
        sizes=sizes,
        pulse=pulse,
        progress=progress,
        outages=outages,
        keeper=Keeper(ledger, farm.images(), ringer, outlast=outages.outlast, sightings=sightings, tally=tally),
        sightings=sightings,
        tally=tally,
        me=me,
        parent=parent,
        linger_seconds=settings().linger_seconds,
    )


def _end_with_the_device(error: DeviceBroken) -> None:
    """End this process: a broken context would fail every job after this one."""
    log.error("device.broken", reason=str(error), next="this process ends, a new one starts")
    sys.stderr.flush()
    os._exit(DEVICE_BROKEN_EXIT)
