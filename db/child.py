"""Starting a process that does not outlive this one, as a command or as a fork, and ending it gently."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, NoReturn, Protocol

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None

_WAIT_SECONDS = 0.05


class Child(Protocol):
    """What a started and a forked process have in common; `poll` and `wait` return a signal as a negative number."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, None while it lives."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal if it lives."""

    def kill(self) -> None:
        """End it at once."""


def start_child(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | int | None = None,
    private: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, so that Ctrl-C reaches it only through us.

    On Linux the kernel kills it when this process dies, however that happens. `output` takes both stdout and stderr;
    None: ours. `private`: of the files that it makes nobody else may read any.
    """
    return subprocess.Popen(
        command,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        umask=0o077 if private else -1,
        preexec_fn=_die_with_parent,
    )


def may_fork() -> bool:
    """Tell whether a fork of this process is sound: it has no other thread, which might hold a lock just then.

    Only Linux tells. Elsewhere the system's own libraries start threads.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names alone
    except OSError:
        return False


def fork_child(run: Callable[[], object], environment: Mapping[str, str]) -> Child:
    """Fork a process that runs this and ends, with these variables beside ours; what is imported here it has, too.

    Otherwise it is as one that `start_child` starts. Only where `may_fork`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    with _signals_held_up() as before:
        pid = os.fork()
        if pid == 0:
            _live(run, environment, parent, before)
    return _Fork(pid)


class _Fork:
    """A forked process, with so much of `subprocess.Popen` as is needed of it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        if self._exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._exit_code = os.waitstatus_to_exitcode(status)
        return self._exit_code

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(_WAIT_SECONDS)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def end_child(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask the process to end and wait so long for it; then, or at a second Ctrl-C, kill it."""
    process.terminate()
    try:
        process.wait(seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


_TO_END = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def _signals_held_up() -> Iterator[set[signal.Signals]]:
    """Hold up what tells us to end: a fork that is not yet itself would take it by our handler, and live on."""
    before = {signal.Signals(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, _TO_END)}
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _live(
    run: Callable[[], object], environment: Mapping[str, str], parent: int, mask: set[signal.Signals]
) -> NoReturn:
    """Be the fork: take leave of the parent, run, end as an interpreter does."""
    exit_code = 1
    try:
        _become_independent(parent)
        os.environ.update(environment)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        run()
        exit_code = 0
    except SystemExit as end:
        exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - what nobody catches is shown, as at the end of an interpreter
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()  # the interpreter's own end would go through all that our parent is in the middle of
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _become_independent(parent: int) -> None:
    os.setsid()
    _die_with_parent()
    if os.getppid() != parent:  # it died before we could ask for that
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
