from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from db.child import start_child
from tests.farm.conftest import ROOT
from workers.commands.supervisor import HOPELESS_STARTS, Supervisor, WorkerProcess, WorkersKeepDying


def worker(code: str) -> WorkerProcess:
    return WorkerProcess("w", partial(start_child, [sys.executable, "-c", code]))


def die(one: WorkerProcess, now: float) -> None:
    """Start the worker's process, let it end, and let the supervisor see it."""
    one.look(now)
    assert one.process is not None
    one.process.wait(10)
    one.look(now)


def test_each_death_doubles_the_wait_before_the_next_start() -> None:
    one = worker("raise SystemExit(1)")
    waits = []

    for _ in range(4):
        now = one.start_at
        die(one, now)
        waits.append(one.start_at - now)

    assert waits == [1, 2, 4, 8]


def test_a_worker_is_not_started_before_its_time() -> None:
    one = worker("raise SystemExit(1)")
    die(one, 100.0)

    one.look(100.9)
    waiting = one.process
    one.look(101.0)

    assert waiting is None
    assert one.process is not None
    one.process.wait(10)


def test_a_worker_that_was_steady_starts_its_back_off_anew() -> None:
    one = worker("raise SystemExit(1)")
    for _ in range(3):
        die(one, one.start_at)
    one.look(one.start_at)
    assert one.process is not None
    one.process.wait(10)

    one.look(one.started_at + 31)

    assert one.deaths_in_a_row == 1


def test_when_no_worker_stays_alive_the_supervisor_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.commands.supervisor.FIRST_WAIT_SECONDS", 0.01)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(WorkersKeepDying, match=f"{HOPELESS_STARTS} times in a row"):
            Supervisor([worker("raise SystemExit(1)")], grace_seconds=1).run()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_a_second_signal_ends_the_workers_at_once() -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); print('up', flush=True); "
    code = (
        "import sys\n"
        "from db.child import start_child\n"
        "from workers.commands.supervisor import Supervisor, WorkerProcess\n"
        f"command = [sys.executable, '-c', {stubborn + 'time.sleep(60)'!r}]\n"
        "Supervisor([WorkerProcess('w', lambda: start_child(command))], grace_seconds=60).run()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    while process.stdout.readline() != b"up\n":
        pass

    process.send_signal(signal.SIGTERM)
    threading.Timer(0.5, process.send_signal, (signal.SIGTERM,)).start()
    begin = time.monotonic()
    process.communicate(timeout=20)

    assert process.returncode == 0
    assert time.monotonic() - begin < 10
