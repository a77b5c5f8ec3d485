"""A farm of workers on this machine for as long as a run needs it; started as a process, never imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine

from db.child import end_child, start_child
from db.command import say
from db.configuration import RunConfiguration
from db.errors import FarmError, WrongCall
from db.gpus import visible_gpus
from db.presence import Present, all_are_sick, present_workers, sick_workers
from db.settings import farm_home, make_private, settings

CPU_WORKERS_AT_MOST = 4


class FarmEnded(FarmError):
    """The farm of workers stopped before the run was finished."""

    exit_code = 5


@contextmanager
def farm(flags: list[str]) -> Iterator[Callable[[], None]]:
    """Run `python -m workers` with these flags for the length of the block; its log goes to FARM_HOME/logs/farm.log.

    Yield a check, to be called often, that starts it again when somebody killed it, and raises FarmEnded when it has
    stopped by itself.
    """
    running = _Farm(flags)
    try:
        yield running.check
    finally:
        end_child(running.process, settings().grace_seconds + 20)


class _Farm:
    """The supervisor of the workers, as a process."""

    def __init__(self, flags: list[str]) -> None:
        self._flags = flags
        self._log = farm_home() / "logs" / "farm.log"
        self._log.parent.mkdir(mode=0o700, exist_ok=True)
        make_private(self._log)
        self.process = self._start()

    def check(self) -> None:
        code = self.process.poll()
        if code is None:
            return
        if code >= 0:
            raise FarmEnded(f"the workers stopped: {self._last_line()} (see {self._log})")
        say(f"the supervisor of the workers was killed (signal {-code}); it is started again")
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            self._beginning = output.tell()
            return start_child([sys.executable, "-m", "workers", *self._flags], output=output)

    def _last_line(self) -> str:
        with self._log.open("rb") as file:
            file.seek(self._beginning)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it left no word"


def require_own_place(engine: Engine, gpus: str | None) -> None:
    """Raise WrongCall where workers of this ledger live on this machine: further ones would share their GPUs.

    It is not raised where the GPUs are named, and are none of theirs.
    """
    wanted = None if gpus is None else {gpu.strip() for gpu in gpus.split(",")}
    living = [one for one in present_workers(engine) if one.lives_here]
    there = [one.name for one in living if wanted is None or wanted & {*one.gpu.split(",")}]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise WrongCall(
            f"workers live on this machine already ({there[0]}{more}), and `run` would start others beside them: "
            "`submit` and `watch` leave the work to those; or end them first"
        )


def require_healthy_gpu(present: Sequence[Present]) -> None:
    """Raise FarmEnded when every worker has called its GPU sick: nothing would ever move again."""
    if all_are_sick(present):
        reason = sick_workers(present)[0].reason
        raise FarmEnded(f"the GPU of every worker is sick: {reason}")


def farm_flags(configuration: RunConfiguration, *, gpus: str | None, workers: int | None) -> list[str]:
    """Return the flags of `python -m workers`: those given, else all GPUs where a model wants one, else the CPUs."""
    if gpus is not None and workers is not None:
        raise WrongCall("--gpus and --workers exclude each other")
    if gpus is not None:
        return ["--gpus", gpus]
    wanted = any(spec.needs_gpu for spec in configuration.specs())
    if workers is None and not (wanted and visible_gpus()):
        workers = min(CPU_WORKERS_AT_MOST, os.cpu_count() or 1)
        if wanted:
            say(f"this machine shows no GPU: {workers} workers on its CPUs, for models that are small enough")
    return [] if workers is None else ["--workers", str(workers)]
