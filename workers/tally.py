"""What the processes of one worker count, and the pipe by which it reaches its parent, which alone adds it up.

A line is written at once or not at all, and once written it is counted whatever becomes of its writer: a child that is
killed takes nothing with it, and its successor begins no count anew. Files that each process maps, which is
prometheus_client's own way, would be one more set for every child that died, and a full disk would end who counts.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_WHERE = "EDITFARM_TALLY"

LONGEST_LABEL = 100
"""Characters: with it a line stays below what a pipe takes at once, 4,096 bytes."""

_PIPE_BYTES = 1024**2
"""Room for twenty thousand lines, should the parent be long in reading."""


class Counted(NamedTuple):
    """Something was counted, or took `value` seconds."""

    name: str
    value: float
    labels: dict[str, str]


class Tally:
    """One process's end of the pipe. Nothing is counted without, nor what finds no room while the parent does not read.

    Safe to use from several threads.
    """

    def __init__(self, pipe: int | None = None) -> None:
        self._pipe = pipe

    def ended(self, stage: str, outcome: str, *, seconds: float | None = None, kind: str | None = None) -> None:
        """A claim ended, and the ledger has taken how: `seconds` are the model's own, `kind` is why it failed."""
        self._add("editfarm_jobs_total", stage=stage, outcome=outcome)
        if seconds is not None:
            self._add("editfarm_job_seconds", seconds, stage=stage)
        if kind is not None:
            self._add("editfarm_job_failures_total", stage=stage, kind=kind)

    def refused(self, stage: str) -> None:
        """The ledger did not take a result."""
        self._add("editfarm_results_refused_total", stage=stage)

    def lease_expired(self) -> None:
        """A claim was taken from a worker that did not renew it."""
        self._add("editfarm_leases_expired_total")

    def child_lost(self) -> None:
        """A process died at its work."""
        self._add("editfarm_children_lost_total")

    def model_loaded(self, model: str, seconds: float) -> None:
        """A model was loaded."""
        self._add("editfarm_model_loads_total", model=model)
        self._add("editfarm_model_load_seconds", seconds, model=model)

    def model_swapped(self) -> None:
        """A model took another one's place on the GPU."""
        self._add("editfarm_model_swaps_total")

    def _add(self, name: str, value: float = 1.0, **labels: str) -> None:
        if self._pipe is not None:
            short = {label: text[:LONGEST_LABEL] for label, text in labels.items()}
            with suppress(OSError):
                os.write(self._pipe, json.dumps([name, value, short]).encode() + b"\n")


NOT_COUNTED = Tally()


def worker_tally() -> Tally:
    """Return the tally of the worker that this process belongs to; one that counts nothing where that has none."""
    where = os.environ.get(_WHERE)
    if where is not None:
        with suppress(OSError):  # a system without /proc
            return Tally(os.open(where, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    return NOT_COUNTED


class TallyPipe:
    """The parent's end; it and its children find it from when it is made."""

    def __init__(self) -> None:
        self._end, self._others_end = os.pipe()  # the latter stays open: without it a dead child's would be the end
        with suppress(OSError, AttributeError):  # more than this user may have, a system that cannot
            fcntl.fcntl(self._end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        os.environ[_WHERE] = f"/proc/{os.getpid()}/fd/{self._others_end}"

    def counted(self) -> Iterator[Counted]:
        """Yield what is counted, for ever."""
        with os.fdopen(self._end, "rb") as lines:
            for line in lines:
                yield Counted(*json.loads(line))


def no_tally() -> None:
    """Let this process and its children count nothing, whatever the process was before that it replaced."""
    os.environ.pop(_WHERE, None)
