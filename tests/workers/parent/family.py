"""A parent and its children on a real ledger: real processes that claim, hang and crash on the test's word."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import Engine

from db.engine import open_engine
from db.jobs import Claimant
from db.ledger import Ledger
from db.owner import Owner, Process, this_process
from db.tables import Stage, edits
from tests.db.steps import job, job_ids
from tests.factories import enter
from workers.last_words import ChildOutput, write_to_parent
from workers.models.errors import Withdrawn
from workers.parent.children import Children
from workers.pulse import Pulses, pulse_of

LEASE_SECONDS = 3

HERITAGE = ("EDITFARM_PULSE", "EDITFARM_OUTPUT")
"""The variables by which a child finds its parent."""

FORKED = multiprocessing.get_context("forkserver")  # imports once, for all children of all tests
FORKED.set_forkserver_preload([__name__])


class _Obeying:
    """What a pool child does, each on the test's word."""

    def __init__(self, database_url: str, parent: Process) -> None:
        self.parent = parent
        self.pulse = pulse_of(this_process())
        self.engine = open_engine(database_url)
        self.ledger = Ledger(self.engine, lease_seconds=LEASE_SECONDS)
        self.entered = ExitStack()

    def claim(self, edit_id: int, delivery: str) -> bool:
        """Claim the edit and begin it."""
        claimed = self.claim_ahead(edit_id, delivery)
        self.begin(edit_id, delivery)
        return claimed

    def claim_ahead(self, edit_id: int, delivery: str) -> bool:
        claimant = Claimant(Owner(this_process(), delivery, self.parent), "gpu-0")
        return len(self.ledger.claim_edits(edits.c.id == edit_id, claimant)) == 1

    def begin(self, edit_id: int, delivery: str) -> None:
        self.pulse.begin(delivery, f"edit {edit_id}")

    def beat(self) -> str | None:
        try:
            self.pulse.beat()
        except Withdrawn:
            return "withdrawn"
        return None

    def end(self) -> None:
        self.pulse.end()

    def hold(self) -> None:
        self.entered.enter_context(self.pulse.holding())

    def wait_patiently(self) -> None:
        self.entered.enter_context(self.pulse.patient())

    def let_go(self) -> None:
        self.entered.close()

    def say(self, text: str) -> None:
        os.write(2, text.encode())

    def exit(self, code: int) -> None:
        self.engine.dispose()
        os._exit(code)


def _work(database_url: str, parent: Process, heritage: Mapping[str, str], orders: Connection) -> None:
    """Be a pool child, and do what the test says."""
    os.environ.update(heritage)
    write_to_parent()
    child = _Obeying(database_url, parent)
    while True:
        name, *arguments = orders.recv()
        orders.send(getattr(child, name)(*arguments))


class Child:
    """One such process."""

    def __init__(self, database_url: str) -> None:
        self._orders, theirs = FORKED.Pipe()
        heritage = {name: os.environ[name] for name in HERITAGE}
        self.process = FORKED.Process(target=_work, args=(database_url, this_process(), heritage, theirs))
        self.process.start()

    def does(self, *order: Any) -> Any:
        self._orders.send(order)
        return self._orders.recv()

    def exits(self, code: int) -> None:
        self._orders.send(("exit", code))
        self.process.join()


class Family:
    """A parent, its children, and a ledger with edits to make."""

    def __init__(self, engine: Engine, database_url: str) -> None:
        self.ledger = Ledger(engine, lease_seconds=LEASE_SECONDS)
        self.edits = job_ids(self.ledger, Stage.EDIT, enter(self.ledger, 3))
        self.run_id = job(self.ledger, Stage.EDIT, self.edits[0]).run_id
        self.sick: list[str] = []
        self.born: list[Child] = []
        self.pool: list[Any] = []
        self._database_url = database_url
        output = ChildOutput()
        output.start()
        self.children = Children(
            "edit-gpu0@h",
            pulses=Pulses(),
            output=output,
            pool=lambda: self.pool,
            on_sick=self.sick.append,
        )

    def child(self, edit: int = 0, delivery: str = "d-1") -> Child:
        child = self.unseen_child(edit, delivery)
        self.look()
        return child

    def unseen_child(self, edit: int = 0, delivery: str = "d-1") -> Child:
        """One that nobody has looked at since it claimed."""
        child = Child(self._database_url)
        self.born.append(child)
        self.pool.append(child.process)
        assert child.does("claim", self.edits[edit], delivery)
        return child

    def look(self) -> bool:
        return self.children.look(self.ledger)

    def look_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look()
            time.sleep(0.1)

    def edit(self, edit: int = 0) -> Any:
        return job(self.ledger, Stage.EDIT, self.edits[edit])

    def end(self) -> None:
        for child in self.born:
            child.process.kill()
            child.process.join()
