"""A worker's pool children as their parent looks after them: leases renewed, the hung ended, the dead reported.

A lease is renewed while the child that holds it makes progress. A child that stands still for the length of a lease is
ended; of one that died, its jobs are handed back together with how it ended and the end of its log.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from db.ledger import Ledger
from db.owner import Process, this_process
from workers.last_words import ChildOutput, ending
from workers.models.errors import says_broken_device
from workers.parent.vital_signs import Stillness
from workers.pulse import DEVICE_BROKEN_EXIT, Pulse, Pulses
from workers.tally import NOT_COUNTED, Tally

log = structlog.get_logger()

RENEW_SECONDS = 5.0
"""How often a lease is renewed at least, if a third of it is not less."""

REAP_SECONDS = 1.0
"""How long a dead child's exit code is waited for: two threads ask the system for it, and it tells only one."""


@dataclass
class _Vigil:
    """One child at work: how still it stands, and when its leases were last renewed."""

    stillness: Stillness
    renewed_at: float = field(default_factory=time.monotonic)  # the claim itself gave a lease

    def renew(self, ledger: Ledger, process: Process) -> None:
        """Renew the leases of all that the child holds when it is time."""
        if time.monotonic() - self.renewed_at >= min(RENEW_SECONDS, ledger.lease_seconds / 3):
            self.renewed_at = time.monotonic()
            ledger.renew(process)


class Children:
    """What the parent knows of its children. `pool` returns Celery's processes; `on_sick` is told once, and why."""

    def __init__(
        self,
        name: str,
        *,
        pulses: Pulses,
        output: ChildOutput,
        pool: Callable[[], list[Any]],
        on_sick: Callable[[str], None],
        tally: Tally = NOT_COUNTED,
    ) -> None:
        self._name = name
        self._pulses = pulses
        self._output = output
        self._pool = pool
        self._on_sick = on_sick
        self._tally = tally
        self._parent = this_process()
        self._processes: dict[int, Any] = {}
        self._vigils: dict[Process, _Vigil] = {}
        self._ended_for: dict[Process, str] = {}
        self._broken_at: str | None = None
        self._is_sick = False
        self._told_to_stop = False

    def stop(self) -> None:
        """Know from now on that a child that is terminated is so by intention: what it holds goes back uncounted."""
        self._told_to_stop = True

    @property
    def told_to_stop(self) -> bool:
        """Whether the worker is ending."""
        return self._told_to_stop

    @property
    def are_well(self) -> bool:
        """Whether the GPU is not sick, and none that was ended lives on: a driver that hangs lets no signal through."""
        return not self._is_sick and all(process.is_dead() for process in list(self._ended_for))

    def at_work(self) -> bool:
        """Tell whether a child holds a claim, or waits for what it needs to claim one."""
        unseen = not self._pulses.are_seen
        return unseen or any(pulse.is_holding or pulse.is_patient for pulse in self._pulses.of_children())

    def meet(self) -> None:
        """Take note of the processes that Celery has now: of one that has died it would forget how."""
        self._processes |= {process.pid: process for process in self._pool()}

    def look(self, ledger: Ledger) -> bool:
        """Look at every child once; tell whether jobs were handed back."""
        self.meet()
        handed_back = False
        for pulse in self._pulses.of_children():
            if pulse.process.is_dead():
                handed_back |= self._bury(ledger, pulse)
            elif pulse.is_holding:
                self._keep(ledger, pulse)
            else:
                self._vigils.pop(pulse.process, None)
        return handed_back

    def release(self, ledger: Ledger) -> int:
        """Hand back uncounted what the children hold: they were told to stop. Return how many jobs that were."""
        return sum(ledger.release(pulse.process) for pulse in self._pulses.of_children())

    def _keep(self, ledger: Ledger, pulse: Pulse) -> None:
        vigil = self._vigils.setdefault(pulse.process, _Vigil(Stillness(pulse)))
        seconds = vigil.stillness.seconds()
        if seconds >= ledger.lease_seconds:
            self._end(pulse, seconds)
            return
        vigil.renew(ledger, pulse.process)
        owner = pulse.owner(self._parent)
        if owner is not None and not ledger.holds(owner):
            pulse.withdraw(owner.delivery)

    def _end(self, pulse: Pulse, seconds: float) -> None:
        if pulse.process in self._ended_for or pulse.process == self._parent:
            return
        self._ended_for[pulse.process] = (
            f"after {seconds:.0f} s without progress at {pulse.job} (FARM_LEASE_SECONDS is the limit)"
        )
        log.error(
            "child.hung", pid=pulse.process.pid, at=pulse.job, seconds=round(seconds), next="ended, job handed back"
        )
        with suppress(ProcessLookupError):
            os.kill(pulse.process.pid, signal.SIGKILL)

    def _bury(self, ledger: Ledger, pulse: Pulse) -> bool:
        """Hand back what a dead child held, with its last words; forget it only when the ledger has taken them."""
        code = self._exit_code(pulse.process.pid)
        words = self._last_words(pulse, code)
        intended = self._told_to_stop and code == -signal.SIGTERM
        handed_back = ledger.release(pulse.process) if intended else ledger.hand_back(pulse.process, words)
        if pulse.is_holding:
            log.warning("child.lost", pid=pulse.process.pid, at=pulse.job, handed_back=handed_back, reason=words)
            if not intended:
                self._tally.child_lost()
        self._judge_gpu(pulse, words, broken=code == DEVICE_BROKEN_EXIT or says_broken_device(words))
        self._output.forget(pulse.process.pid)
        self._pulses.clear(pulse)
        self._processes.pop(pulse.process.pid, None)
        self._vigils.pop(pulse.process, None)
        self._ended_for.pop(pulse.process, None)
        return handed_back > 0

    def _exit_code(self, pid: int) -> int | None:
        process = self._processes.get(pid)
        if process is None:
            return None
        until = time.monotonic() + REAP_SECONDS
        code: int | None = process.exitcode
        while code is None and time.monotonic() < until:  # Celery's thread is just taking it
            time.sleep(0.01)
            code = process.exitcode
        return code

    def _last_words(self, pulse: Pulse, code: int | None) -> str:
        parts = [f"process {pulse.process.pid} of worker {self._name} {ending(code)}"]
        if (why := self._ended_for.get(pulse.process)) is not None:
            parts.append(f" {why}")
        if (said := self._output.last_words(pulse.process.pid)) != "":
            parts.append(f"; the end of its log: {said}")
        return "".join(parts)

    def _judge_gpu(self, pulse: Pulse, words: str, *, broken: bool) -> None:
        """Call the GPU sick when it failed twice in a row, at different jobs: one alone may be the job's fault."""
        in_a_row = self._broken_at is not None and pulse.finished == 0
        if broken and in_a_row and self._broken_at != pulse.job and not self._is_sick:
            self._is_sick = True
            self._on_sick(f"its GPU failed at {self._broken_at} and at {pulse.job}: {words}")
        self._broken_at = pulse.job if broken else None
