"""Hears from the workers what they are at: loading, denoising steps, scoring."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from db.activity import EVENT, Activity
from db.errors import first_line

log = logging.getLogger(__name__)

LISTEN_SECONDS = 0.2
"""How long one attempt to hear something takes at most; so soon the listener ends when it is told to."""

STALE_SECONDS = 120.0
"""What a worker said longer ago than this is not shown any more."""


MOMENT_SECONDS = 1.0
"""For so long it is listened for a single glance: who is at it speaks twice a second, and Celery has to be imported."""


def hear_for_a_moment(workers: Collection[str]) -> dict[str, Activity]:
    """Return what these workers say within a moment, by their names; less where no broker answers."""
    until = time.monotonic() + MOMENT_SECONDS
    heard: dict[str, Activity] = {}
    with Listener() as listener:
        while len(heard) < len(workers) and time.monotonic() < until:
            time.sleep(0.02)
            heard = {name: said for name in workers if (said := listener.of(name)) is not None}
    return heard


class Listener:
    """Listens within its block, in a thread of its own: a broker that is gone must not hold up who watches."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[float, Activity]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="activity", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(2 * LISTEN_SECONDS)  # no longer: it may be waiting for a broker that is gone

    def of(self, worker: str) -> Activity | None:
        """Return what the worker last said; None when that is too long ago."""
        heard_at, activity = self._heard.get(worker, (0.0, None))
        return activity if time.monotonic() - heard_at < STALE_SECONDS else None

    def _listen(self) -> None:
        from producer.queue import app  # it reads the broker's address when imported: not before there is a broker

        while not self._stopping.is_set():
            try:
                with app().connection_for_read() as connection:
                    connection.ensure_connection(max_retries=0)  # else it retries for seconds, deaf to the end
                    receiver = app().events.Receiver(connection, handlers={EVENT: self._hear})
                    while not self._stopping.is_set():
                        self._hear_for_a_while(receiver)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the bus, or with what a stranger says on it
                log.debug("nothing is heard from the workers: %s", first_line(error))
                self._stopping.wait(LISTEN_SECONDS)

    def _hear_for_a_while(self, receiver: Any) -> None:
        heard = receiver.consume(limit=None, timeout=LISTEN_SECONDS, safety_interval=LISTEN_SECONDS, wakeup=False)
        with suppress(TimeoutError):  # nothing was said
            for _ in heard:
                if self._stopping.is_set():
                    return

    def _hear(self, event: Mapping[str, Any]) -> None:
        activity = Activity.read(event)
        if activity is not None:
            self._heard[str(event.get("hostname"))] = (time.monotonic(), activity)
