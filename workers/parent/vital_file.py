"""FARM_HEARTBEAT_FILE: a file that a worker touches while it is well, so that a health check need only look at its age.

Asking the worker itself would take a second of a core each time, and a broker that answers. A broker or a database that
is gone makes no worker unwell: it outlasts them, and to start it anew would cost the model that it has loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from db.errors import first_line

log = structlog.get_logger()

TOUCH_SECONDS = 5.0
"""How often it is touched; health checks call a worker unwell when the file is older than 30 seconds."""


class VitalFile:
    """Touches the file as long as `is_well` says so; without a file it does nothing."""

    def __init__(self, file: Path | None, is_well: Callable[[], bool]) -> None:
        self._file = file
        self._is_well = is_well
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own: nothing that another one waits for holds it up."""
        if self._file is not None:
            self._thread = threading.Thread(target=self._repeat, args=(self._file,), name="vital_file", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, and take the file away: a worker that has ended must not look well for another half a minute."""
        self._stopping.set()
        if self._thread is not None and self._file is not None:
            self._thread.join()
            with suppress(OSError):  # one that could never be touched; what else a worker does at its end comes after
                self._file.unlink()

    def _repeat(self, file: Path) -> None:
        trouble = False
        while not self._stopping.is_set():
            try:
                if self._is_well():
                    file.touch()
                trouble = False
            except OSError as error:
                if not trouble:
                    log.warning("worker.no_heartbeat", file=str(file), reason=first_line(error), next="tried again")
                trouble = True
            self._stopping.wait(TOUCH_SECONDS)
