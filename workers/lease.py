"""The lease keeper: threads in the worker's parent that look after its children, recover what is lost, and announce.

Every worker has one; all of them together do no harm. Threads and not Celery's timer, because a slow database must not
stop the consumer and a lost broker must not stop the leases.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

import structlog
from celery import bootsteps
from celery.signals import worker_before_create_process, worker_init, worker_ready, worker_shutting_down
from celery.worker.state import reserved_requests
from kombu.exceptions import OperationalError
from sqlalchemy.exc import DBAPIError

from db import farm
from db.errors import FarmError, first_line
from db.ledger import Ledger
from db.settings import settings
from db.tables import Stage
from workers.app import app
from workers.handed_back import tell_handed_back
from workers.last_words import ChildOutput
from workers.parent.children import Children
from workers.parent.idleness import Idleness
from workers.parent.presence import Presence
from workers.parent.recovery import Recovery
from workers.parent.vital_file import VitalFile
from workers.pulse import Pulses
from workers.tally import worker_tally

log = structlog.get_logger()

LOOK_SECONDS = 1
"""How often the children are looked at; a cancelled job ends at its next step after that."""

RECOVER_SECONDS = 5
"""How often the lost and the owed are looked for."""

STUCK_SECONDS = 120
"""A worker that for so long does nothing, though messages wait or are in its hands, is ended."""

OVERDUE_SECONDS = 6.0
"""A worker that was told to end, and whose grace is over by so much, is ended; whoever keeps it alive waits longer."""

HANDING_BACK_SECONDS = 3.0
"""What it takes at most for that to hand back what is held."""

STUCK_EXIT = 75
"""The exit code of a worker that ended itself for either: sysexits' EX_TEMPFAIL."""


@worker_init.connect
def _open_channels(sender: Any, **_: Any) -> None:
    """Make what parent and children share, before the first child is started."""
    sender.pulses, sender.child_output = Pulses(), ChildOutput()


class PassOnOutput(bootsteps.StartStopStep):
    """Begins to pass on what children write when the pool has its first one: a parent with threads forks none."""

    requires = ("celery.worker.components:Pool",)

    def start(self, parent: Any) -> None:
        """Begin."""
        parent.child_output.start()


app.steps["worker"].add(PassOnOutput)


@worker_ready.connect
def _keep_leases(sender: Any, **_: Any) -> None:
    worker = sender.controller
    if not hasattr(worker, "lease_keeper"):  # ready comes again after each reconnection to the broker
        worker.lease_keeper = LeaseKeeper(worker)
        worker.lease_keeper.start()
        worker_shutting_down.connect(worker.lease_keeper.on_shutting_down)
        worker_before_create_process.connect(worker.lease_keeper.on_new_child)
        atexit.register(worker.lease_keeper.stop)  # the one way out that warm and cold shutdown share


class LeaseKeeper:
    """Started when the worker is ready, stopped when its pool is gone.

    Two threads, so that a broker that does not answer cannot hold up the leases.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._name = str(worker.hostname)
        self._tally = worker_tally()
        self._children = Children(
            self._name,
            pulses=worker.pulses,
            output=worker.child_output,
            pool=self._pool_processes,
            on_sick=self._stop_consuming,
            tally=self._tally,
        )
        self._presence = Presence(self._name)
        self._recovery = Recovery()
        self._idleness = Idleness(longest_seconds=2 * RECOVER_SECONDS)
        self._turned_at = {"look": time.monotonic()}
        self._vital_file = VitalFile(settings().heartbeat_file, self._is_well)
        self._stopping = threading.Event()
        self._lost_found = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(step, wait), name=step.__name__, daemon=True)
            for step, wait in (
                (self._look, partial(self._stopping.wait, LOOK_SECONDS)),
                (self._recover, partial(self._lost_found.wait, RECOVER_SECONDS)),
            )
        ]

    def start(self) -> None:
        """Begin."""
        self._worker.pulses.tell(self._stages())
        for thread in self._threads:
            thread.start()
        self._vital_file.start()

    def on_new_child(self, **_: Any) -> None:
        """Hear from Celery that a child is about to be started; it may die before the next look."""
        self._worker.consumer.call_soon(self._children.meet)

    def on_shutting_down(self, **_: Any) -> None:
        """Hear from Celery that the worker was told to end, at once or when its child has finished."""
        self._children.stop()
        self._worker.pulses.tell(())
        overdue = threading.Timer(settings().grace_seconds + OVERDUE_SECONDS, self._end_overdue)
        overdue.daemon = True
        overdue.start()

    def stop(self) -> None:
        """End, and hand back at once what this worker's children still held: they were told to stop."""
        self._children.stop()
        self._stopping.set()
        self._lost_found.set()
        for thread in self._threads:
            thread.join()
        self._vital_file.stop()
        try:
            released = self._children.release(self._ledger)
            self._presence.leave()
        except (DBAPIError, FarmError) as error:
            log.warning("lease.not_released", reason=first_line(error), next="others take over when it runs out")
        else:
            if released:
                log.info("lease.released", handed_back=released)

    def _end_overdue(self) -> None:
        """End a worker that Celery does not bring to an end, and let its log say where it hangs."""
        log.error("worker.overdue", grace=settings().grace_seconds, next="ended at once")
        faulthandler.dump_traceback(sys.stderr)
        handing_back = threading.Thread(target=self.stop, daemon=True)
        handing_back.start()
        handing_back.join(HANDING_BACK_SECONDS)
        os._exit(STUCK_EXIT)

    def _repeat(self, step: Callable[[Ledger], None], wait: Callable[[], bool]) -> None:
        name, trouble = step.__name__.strip("_"), False
        while not self._stopping.is_set():
            try:
                step(self._ledger)
            except (DBAPIError, FarmError, OperationalError, OSError) as error:
                if not trouble:  # one line for an outage, however long it lasts
                    log.warning("lease.trouble", step=name, reason=first_line(error), next="tried until it passes")
                trouble = True
                self._stopping.wait(LOOK_SECONDS)
            except Exception:  # a bug of ours here must not leave the worker without its keeper
                log.exception("lease.error", step=name, next="tried again")
                self._stopping.wait(LOOK_SECONDS)
            else:
                if trouble:
                    log.info("lease.goes_on", step=name)
                trouble = False
            self._turned_at[name] = time.monotonic()
            wait()

    @cached_property
    def _ledger(self) -> Ledger:
        """The ledger, once its database answers; it tells here what it hands back."""
        ledger = farm.ledger()
        ledger.on_handed_back = partial(tell_handed_back, self._tally)
        return ledger

    def _is_well(self) -> bool:
        """Tell whether the children are, and somebody looks at them: a database that hangs holds that up for less."""
        return self._children.are_well and time.monotonic() - self._turned_at["look"] < STUCK_SECONDS

    def _look(self, ledger: Ledger) -> None:
        self._worker.pulses.tell(self._stages())
        if self._children.look(ledger):
            self._lost_found.set()

    def _stages(self) -> set[Stage]:
        """Return which stages this worker serves: its queues as they are now, none when it is to end."""
        if self._children.told_to_stop:
            return set()
        return {stage for stage in Stage if stage.value in app.amqp.queues.consume_from}

    def _recover(self, ledger: Ledger) -> None:
        found_here = self._lost_found.is_set()
        self._lost_found.clear()
        living = self._presence.tell(self._stages())
        self._end_if_stuck(self._recovery.look(ledger, living=living, at_once=found_here))

    def _end_if_stuck(self, waiting: Mapping[Stage, int]) -> None:
        """End a worker whose child does nothing though there is work: Celery loses track of jobs when children die."""
        at_hand = bool(reserved_requests) or any(waiting[stage] for stage in self._stages())
        seconds = self._idleness.seconds(idle=at_hand and not self._children.at_work())
        if seconds > STUCK_SECONDS and not self._children.told_to_stop:
            log.error("worker.stuck", seconds=round(seconds), next="ended; whoever keeps it alive starts it again")
            for child in self._pool_processes():  # one that hangs as it starts would not hear that we are gone
                with suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
            os._exit(STUCK_EXIT)  # it holds no claim, and any gentler end would wait for the child

    def _stop_consuming(self, reason: str) -> None:
        log.error("worker.sick", worker=self._name, reason=reason, next="takes no more jobs until it is started anew")
        self._presence.fell_sick(reason)
        self._lost_found.set()
        consumer = self._worker.consumer
        for queue in list(app.amqp.queues.consume_from):
            consumer.call_soon(consumer.cancel_task_queue, queue)

    def _pool_processes(self) -> list[Any]:
        pool = getattr(self._worker.pool, "_pool", None)
        return list(getattr(pool, "_pool", None) or ())
