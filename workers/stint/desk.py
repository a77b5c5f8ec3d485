"""What a pool child works with, for the whole of its life."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial

from db import farm
from db.gpus import gpu_of
from db.images import ImageStore
from db.jobs import Claimant
from db.ledger import Ledger
from db.owner import Owner, Process, process_of, this_process
from db.seats import Seat
from db.settings import settings
from db.tables import Stage
from workers.app import app
from workers.broker.queues import messages_waiting, send
from workers.handed_back import tell_handed_back
from workers.host import this_host
from workers.progress import Progress
from workers.pulse import Pulse, pulse_of
from workers.resident import Resident
from workers.stint.batch_sizes import BatchSizes
from workers.stint.keeping import Keeper
from workers.stint.outages import Outages
from workers.stint.pace import Pace
from workers.stint.ringing import Ringer
from workers.stint.sightings import Sightings
from workers.stint.supply import Said, Supply
from workers.tally import Tally, worker_tally


@dataclass
class Desk:
    """All that a stint uses and leaves to the next one."""

    ledger: Ledger
    images: ImageStore
    resident: Resident
    supply: Supply
    pace: Pace
    sizes: BatchSizes
    pulse: Pulse
    progress: Progress
    outages: Outages
    keeper: Keeper
    sightings: Sightings
    tally: Tally
    me: Process
    parent: Process
    linger_seconds: float
    not_before_a_job: set[str] = field(default_factory=set)
    _delivery: str = ""
    _stage_of_message: frozenset[Stage] = frozenset()
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def begin(self, delivery: str, stage: Stage) -> None:
        """A message of that stage has come; of a worker that says nothing else, it is all that is served."""
        self._delivery, self._stage_of_message = delivery, frozenset({stage})

    def stages(self) -> frozenset[Stage]:
        """Return the stages to serve now; none when it is told to end."""
        told = self.pulse.stages()
        return self._stage_of_message if told is None else told

    def claimant(self) -> Claimant:
        """Return as whom to claim next: claims made at once share an owner, so that each can be told it is gone."""
        return Claimant(Owner(self.me, f"{self._delivery}.{next(self._numbers)}", self.parent), self.supply.worker)


@cache
def open_desk(worker: str) -> Desk:
    """Return this process's desk, as a child of the worker of that name."""
    me, parent = this_process(), process_of(os.getppid())
    pulse, pace, sizes, tally = pulse_of(me), Pace(), BatchSizes(), worker_tally()
    progress = Progress(pulse.beat, gpu=gpu_of(worker))
    outages = Outages(shown=pulse.patient, wait=progress.waits)
    ledger = outages.outlast("the ledger", farm.ledger)
    ledger.on_handed_back = partial(tell_handed_back, tally)
    ringer = Ringer(ledger, send, waiting=messages_waiting, patient=pulse.patient)
    sightings = Sightings(app, worker)
    return Desk(
        ledger=ledger,
        images=farm.images(),
        resident=Resident(this_host(), show=progress.show, wait=progress.wait, tally=tally),
        supply=Supply(ledger, Seat(worker, frozenset()), Said(parent, gpu_of(worker)), pace=pace, sizes=sizes),
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
