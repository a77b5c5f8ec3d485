"""All that a farm tells, kept by where it tells it: what commands say, logs, files, rows, command lines, events."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
from celery import Celery
from sqlalchemy import MetaData

from db.engine import open_engine, reading
from tests.farm.conftest import ROOT, FarmUnderTest, children_of


@dataclass
class Story:
    """All that a farm told, by where it told it."""

    farm: FarmUnderTest
    told: dict[str, bytes] = field(default_factory=dict)

    def note(self, place: str, told: bytes | str) -> None:
        """Keep what was told at this place."""
        self.told[place] = self.told.get(place, b"") + (told.encode() if isinstance(told, str) else told)

    def command(self, *command: str, seconds: float = 100, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m ...` to its end, or for so long; keep what it said on both streams."""
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**self.farm.environment, **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.farm.processes.append(process)  # ended with the farm, should it outlive us
        try:
            out, error = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            for child in children_of(process):
                child.kill()
            process.kill()
            out, error = process.communicate()
        self.note(command[0].partition(".")[0], out + error)
        return subprocess.CompletedProcess(command, process.returncode, out.decode(), error.decode())

    def producer(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m producer`."""
        return self.command("producer", *arguments, **environment)

    def keep_what_lies_about(self) -> None:
        """Keep logs, files, rows and command lines as they are now."""
        self.note("command lines", command_lines(self.farm))
        for file in self.farm.folder.glob("*.log"):
            self.note("logs", file.read_bytes())
        for file in self.farm.home.rglob("*"):
            if file.is_file():
                self.note("FARM_HOME", str(file) + "\n")
                self.note("FARM_HOME", file.read_bytes())
        engine = open_engine(self.farm.database_url)
        tables = MetaData()
        with reading(engine) as connection:
            tables.reflect(connection)
            for table in tables.sorted_tables:
                rows = connection.execute(table.select()).all()
                self.note("the ledger", f"{table.name}: {rows!r}\n")
        engine.dispose()


def command_lines(farm: FarmUnderTest) -> str:
    """Return how the farm's processes, and those that they started, were called: everyone on the machine can see it."""
    living = [process for process in farm.processes if process.poll() is None]
    every = [psutil.Process(process.pid) for process in living] + [one for own in living for one in children_of(own)]
    lines = []
    for process in every:
        with suppress(psutil.NoSuchProcess):
            lines.append(" ".join(process.cmdline()))
    return "\n".join(lines)


@contextmanager
def listening(story: Story, broker_url: str) -> Iterator[None]:
    """Keep every event of every worker for the length of the block."""
    stopping = threading.Event()
    app = Celery(broker=broker_url, set_as_current=False)

    def hear() -> None:
        while not stopping.is_set():
            try:
                with app.connection_for_read() as connection:
                    receiver = app.events.Receiver(connection, handlers={"*": _keep})
                    while not stopping.is_set():
                        try:
                            receiver.capture(limit=None, timeout=0.5, wakeup=True)
                        except TimeoutError:
                            continue
            except Exception:  # noqa: BLE001 - the broker is stopped in the middle of it
                stopping.wait(0.5)

    def _keep(event: Mapping[str, Any]) -> None:
        story.note("events", json.dumps(event, default=str) + "\n")

    thread = threading.Thread(target=hear, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(20)
