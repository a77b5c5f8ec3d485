"""The lease keeper: threads in the worker's parent that renew, take back and announce.

It renews the leases of the delivery that its pool child is at, hands back what the dead left, and sends the messages
that are owed or must be lost. Every worker has one; all of them together do no harm. Threads and not Celery's
timer, because a slow database must not stop the consumer and a lost broker must not stop the leases.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Any

import structlog
from amqp.exceptions import ChannelError
from celery.signals import worker_ready
from celery.worker.state import active_requests
from kombu.exceptions import OperationalError
from sqlalchemy.exc import DBAPIError

from db import farm
from db.doorbells import owe_lost, ring_all_owed
from db.errors import FarmError, first_line
from db.ledger import Ledger
from db.owner import Owner, Process, process_of
from db.settings import settings
from db.tables import Stage
from workers.app import app
from workers.tasks import send

log = structlog.get_logger()

LOOK_SECONDS = 5
"""How often the dead and the owed are looked for; a killed child's job runs again within this time or sooner."""


@worker_ready.connect
def _keep_leases(sender: Any, **_: Any) -> None:
    worker = sender.controller
    if not hasattr(worker, "lease_keeper"):  # ready comes again after each reconnection to the broker
        worker.lease_keeper = LeaseKeeper(worker)
        worker.lease_keeper.start()
        atexit.register(worker.lease_keeper.stop)  # the one way out that warm and cold shutdown share


class LeaseKeeper:
    """Started when the worker is ready, stopped when its pool is gone.

    Two threads, so that a broker that does not answer cannot hold up the leases.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._children: dict[int, Process] = {}
        self._stopping = threading.Event()
        renewal = min(LOOK_SECONDS, settings().lease_seconds / 3)
        self._threads = [
            threading.Thread(target=self._repeat, args=(step, seconds), name=step.__name__, daemon=True)
            for step, seconds in ((self._renew, renewal), (_recover, LOOK_SECONDS))
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and hand back at once what this worker's children still held: they were told to stop."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        try:
            released = sum(farm.ledger().release(child) for child in self._children.values())
        except (DBAPIError, FarmError) as error:
            log.warning("lease.not_released", reason=first_line(error))
        else:
            if released:
                log.info("lease.released", jobs=released)

    def _repeat(self, step: Callable[[Ledger], None], seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                step(farm.ledger())
            except (DBAPIError, FarmError, OperationalError, OSError) as error:
                log.warning("lease.trouble", step=step.__name__, reason=first_line(error), next=f"again in {seconds} s")
            except Exception:  # a bug of ours here must not leave the worker without its keeper
                log.exception("lease.error", step=step.__name__, next=f"again in {seconds} s")
            self._stopping.wait(seconds)

    def _renew(self, ledger: Ledger) -> None:
        for owner in self._working():
            ledger.renew(owner)

    def _working(self) -> list[Owner]:
        """Return the deliveries that this worker's living children are at."""
        for pid in self._worker.pool.info["processes"]:
            if pid not in self._children:
                self._children[pid] = process_of(pid)
        requests = [(request.worker_pid, request.id) for request in list(active_requests)]
        return [Owner(self._children[pid], delivery) for pid, delivery in requests if pid in self._children]


def _recover(ledger: Ledger) -> None:
    """Hand back what the dead left; send the messages that are owed, and those that must be lost."""
    lost = ledger.hand_back_lost()
    for stage in Stage:
        lost += owe_lost(ledger, stage, _messages_waiting(stage))
    sent = ring_all_owed(ledger, send)
    if lost or sent:
        log.info("lease.recovered", lost=lost, messages=sent)


def _messages_waiting(stage: Stage) -> int:
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        try:
            return int(channel.queue_declare(stage.value, passive=True).message_count)
        except ChannelError:  # Redis has no empty lists: an empty queue does not exist
            return 0
