"""How a parent looks after its children: real processes that claim from a real ledger, hang and crash."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from typing import Any

import pytest
from sqlalchemy import Engine, update

from db.engine import open_engine
from db.jobs import Claimant
from db.ledger import Ledger
from db.owner import Owner, process_of, this_process
from db.tables import Stage, State, edits
from tests.db.steps import job, job_ids
from tests.factories import enter
from workers.last_words import ChildOutput, ending, write_to_parent
from workers.models.errors import Withdrawn
from workers.parent.children import Children
from workers.pulse import DEVICE_BROKEN_EXIT, Pulses, pulse_of

pytestmark = pytest.mark.integration

LEASE_SECONDS = 3


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The ledger's own tests run on both databases."""
    return sqlite_url


class _Obeying:
    """What a pool child does, each on the test's word."""

    def __init__(self, database_url: str) -> None:
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
        claimant = Claimant(Owner(this_process(), delivery, process_of(os.getppid())), "gpu-0")
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


def _work(database_url: str, orders: Connection) -> None:
    """Be a pool child, and do what the test says."""
    write_to_parent()
    child = _Obeying(database_url)
    while True:
        name, *arguments = orders.recv()
        orders.send(getattr(child, name)(*arguments))


class Child:
    """One such process."""

    def __init__(self, database_url: str) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._orders, theirs = spawning.Pipe()
        self.process = spawning.Process(target=_work, args=(database_url, theirs))
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


@pytest.fixture
def family(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Family]:
    for name in ("EDITFARM_PULSE", "EDITFARM_OUTPUT"):
        monkeypatch.setenv(name, "")  # put back as it was when the test ends
    family = Family(engine, database_url)
    yield family
    family.end()


# -- leases ------------------------------------------------------------------------------------------------------------


def test_a_lease_is_renewed_while_its_child_makes_progress(family: Family) -> None:
    child = family.child()
    until = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < until:
        child.does("beat")
        family.look()
        time.sleep(0.1)

    assert child.process.is_alive()
    assert family.ledger.hand_back_lost() == 0
    assert family.edit().lease_until - family.ledger.now() > LEASE_SECONDS / 2


def test_a_child_that_hangs_is_ended_and_its_job_is_handed_back(family: Family) -> None:
    child = family.child()
    claimed_at = family.edit().lease_until - LEASE_SECONDS

    while family.edit().state == State.RUNNING:
        family.look_for(0.2)

    assert LEASE_SECONDS - 0.5 < family.ledger.now() - claimed_at < LEASE_SECONDS + 5
    assert not child.process.is_alive()
    assert family.edit().state == State.QUEUED
    assert "SIGKILL" in family.edit().last_words
    assert "without progress at edit" in family.edit().last_words
    assert "FARM_LEASE_SECONDS" in family.edit().last_words


def test_a_lease_of_what_was_claimed_ahead_is_renewed_with_the_others(family: Family) -> None:
    child = family.child()
    child.does("hold")
    assert child.does("claim_ahead", family.edits[1], "d-2")
    until = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < until:
        child.does("beat")
        family.look()
        time.sleep(0.1)

    assert family.ledger.hand_back_lost() == 0
    for edit in (0, 1):
        assert family.edit(edit).lease_until - family.ledger.now() > LEASE_SECONDS / 2


def test_a_child_that_holds_nothing_may_stand_still(family: Family) -> None:
    child = family.child()
    child.does("hold")
    child.does("end")
    child.does("let_go")

    family.look_for(LEASE_SECONDS + 1)

    assert child.process.is_alive()


def test_a_child_that_hangs_between_two_jobs_of_a_stint_is_ended_and_what_it_holds_handed_back(family: Family) -> None:
    child = family.child()
    child.does("hold")
    child.does("end")
    assert child.does("claim_ahead", family.edits[1], "d-2")

    family.look_for(LEASE_SECONDS + 2)

    assert not child.process.is_alive()
    assert (family.edit(1).state, family.edit(1).attempt) == (State.QUEUED, 1)
    assert "without progress" in family.edit(1).last_words


def test_a_child_that_waits_for_what_is_not_its_gpu_may_stand_still_between_two_jobs(family: Family) -> None:
    child = family.child()
    child.does("hold")
    child.does("wait_patiently")
    child.does("end")

    family.look_for(LEASE_SECONDS + 1)

    assert child.process.is_alive()


def test_a_child_that_only_holds_is_at_work(family: Family) -> None:
    child = family.child()
    child.does("end")
    assert not family.children.at_work()
    child.does("hold")
    assert family.children.at_work()


def test_of_a_killed_child_everything_it_held_is_handed_back(family: Family) -> None:
    child = family.child()
    assert child.does("claim_ahead", family.edits[1], "d-2")
    child.process.kill()
    child.process.join()

    assert family.look()
    for edit in (0, 1):
        assert (family.edit(edit).state, family.edit(edit).attempt) == (State.QUEUED, 1)
        assert "killed by signal 9 (SIGKILL)" in family.edit(edit).last_words


def test_a_cancelled_job_ends_at_its_next_step(family: Family) -> None:
    child = family.child()
    assert child.does("beat") is None

    family.ledger.cancel(family.run_id)
    family.look()

    assert child.does("beat") == "withdrawn"
    assert child.process.is_alive()


def test_a_cancelled_job_leaves_what_was_claimed_ahead_alone(family: Family) -> None:
    child = family.child()
    child.does("hold")
    assert child.does("claim_ahead", family.edits[1], "d-2")
    with family.ledger.write() as (connection, now):
        gone = {"state": State.CANCELLED, "finished_at": now, "owner": None, "lease_until": None}
        connection.execute(update(edits).where(edits.c.id == family.edits[0]).values(gone))
    family.look()

    assert child.does("beat") == "withdrawn"
    child.does("end")
    child.does("begin", family.edits[1], "d-2")
    family.look()
    assert child.does("beat") is None


def test_a_job_that_was_taken_over_ends_at_its_next_step(family: Family) -> None:
    child = family.child()
    time.sleep(LEASE_SECONDS + 0.1)  # nobody looked: the lease runs out
    assert family.ledger.hand_back_lost() == 1

    family.look()

    assert child.does("beat") == "withdrawn"


# -- deaths ------------------------------------------------------------------------------------------------------------


def test_a_killed_childs_job_is_handed_back_with_its_last_words(family: Family) -> None:
    child = family.child()
    child.does("say", "terminate called after throwing an instance of 'c10::Error'\n  what(): \x1b[31mboom\n")
    child.process.kill()
    child.process.join()

    assert family.look()

    row = family.edit()
    assert (row.state, row.attempt, row.published_at) == (State.QUEUED, 1, None)
    assert row.last_words == (
        f"process {child.process.pid} of worker edit-gpu0@h was killed by signal 9 (SIGKILL); the end of its log: "
        "terminate called after throwing an instance of 'c10::Error' / what(): [31mboom"
    )


def test_of_a_child_that_celery_has_already_replaced_it_is_known_how_it_ended(family: Family) -> None:
    child = family.unseen_child()
    family.children.meet()
    child.process.kill()
    child.process.join()
    family.pool.clear()

    assert family.look()
    assert "killed by signal 9 (SIGKILL)" in family.edit().last_words


def test_an_exit_code_that_another_thread_is_just_taking_is_waited_for(family: Family) -> None:
    child = family.child()
    child.process.kill()
    child.process.join()
    answers = iter([None, None])  # as billiard's process answers while its code is on the way

    class Reaped:
        pid = child.process.pid

        @property
        def exitcode(self) -> int | None:
            return next(answers, child.process.exitcode)

    family.pool = [Reaped()]

    assert family.look()
    assert "killed by signal 9 (SIGKILL)" in family.edit().last_words


def test_only_its_parent_says_how_a_child_ended(family: Family) -> None:
    child = family.child()
    child.exits(3)

    assert family.ledger.hand_back_lost() == 0  # as another worker of this host would
    assert family.look()
    assert "ended with exit code 3" in family.edit().last_words


def test_the_last_words_of_one_child_are_not_its_successors(family: Family) -> None:
    first = family.child()
    first.does("say", "the first\n")
    first.exits(1)
    family.look()
    second = family.child(edit=1, delivery="d-2")
    second.exits(1)
    family.look()

    assert "the first" in family.edit(0).last_words
    assert "the first" not in family.edit(1).last_words


def test_after_three_deaths_the_job_is_poison_and_says_how_the_last_one_was(family: Family) -> None:
    for attempt in range(3):
        child = family.child(delivery=f"d-{attempt}")
        child.process.kill()
        child.process.join()
        family.look()

    row = family.edit()
    assert (row.state, row.failure_kind, row.attempt) == (State.FAILED, "poison", 3)
    assert row.failure_reason.startswith("given up after 3 attempts; the last: process ")
    assert "killed by signal 9 (SIGKILL)" in row.failure_reason


def test_a_child_that_died_between_two_jobs_left_nothing(family: Family) -> None:
    child = family.child()
    child.does("end")
    family.ledger.release(process_of(child.process.pid or 0))
    child.exits(1)

    assert not family.look()
    assert family.edit().attempts_allowed == 4


def test_a_ledger_that_does_not_answer_loses_no_last_words(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    child = family.child()
    child.exits(3)
    with monkeypatch.context() as gone:
        gone.setattr(Ledger, "hand_back", _unreachable)
        with pytest.raises(OSError, match="gone"):
            family.look()

    assert family.look()
    assert "exit code 3" in family.edit().last_words


def _unreachable(*_: Any) -> int:
    raise OSError("gone")


# -- told to stop ------------------------------------------------------------------------------------------------------


def test_a_child_that_was_ended_by_intention_hands_back_uncounted(family: Family) -> None:
    child = family.child()
    family.children.stop()
    child.process.terminate()
    child.process.join()

    family.look()

    row = family.edit()
    assert (row.state, row.attempts_allowed - row.attempt) == (State.QUEUED, 3)


def test_a_child_that_crashes_while_its_worker_ends_is_counted(family: Family) -> None:
    child = family.child()
    family.children.stop()
    child.process.kill()
    child.process.join()

    family.look()

    assert family.edit().attempts_allowed - family.edit().attempt == 2


def test_a_parent_that_ends_hands_back_what_its_children_hold(family: Family) -> None:
    family.child()
    family.children.stop()

    assert family.children.release(family.ledger) == 1
    assert family.edit().attempts_allowed - family.edit().attempt == 3


def test_the_last_words_of_a_child_are_its_own(family: Family) -> None:
    first, second = family.child(edit=0, delivery="d-1"), family.child(edit=1, delivery="d-2")
    first.does("say", "said by the first\n")
    second.does("say", "said by the second\n")

    for child in (first, second):
        child.exits(1)
        family.look()

    for edit, said, not_said in ((0, "by the first", "by the second"), (1, "by the second", "by the first")):
        words = family.edit(edit).last_words
        assert said in words
        assert not_said not in words


# -- a GPU that fails --------------------------------------------------------------------------------------------------


def test_a_gpu_that_fails_at_two_jobs_in_a_row_is_sick(family: Family) -> None:
    family.child(edit=0, delivery="d-1").exits(DEVICE_BROKEN_EXIT)
    family.look()
    assert family.sick == []
    assert family.children.are_well

    second = family.child(edit=1, delivery="d-2")
    second.does("say", "CUDA error: uncorrectable ECC error encountered\n")
    second.exits(DEVICE_BROKEN_EXIT)
    family.look()

    assert not family.children.are_well
    (reason,) = family.sick
    assert reason.startswith(f"its GPU failed at edit {family.edits[0]} and at edit {family.edits[1]}")
    assert "uncorrectable ECC error" in reason


def test_that_a_gpu_is_sick_is_told_once(family: Family) -> None:
    for edit in (0, 1, 2):
        family.child(edit=edit, delivery=f"d-{edit}").exits(DEVICE_BROKEN_EXIT)
        family.look()

    assert len(family.sick) == 1


def test_a_crash_in_the_gpus_libraries_counts_as_a_gpu_that_fails(family: Family) -> None:
    for edit in (0, 1):
        child = family.child(edit=edit, delivery=f"d-{edit}")
        child.does("say", "terminate called: CUDA error: device-side assert triggered\n")
        os.kill(child.process.pid or 0, signal.SIGABRT)
        child.process.join()
        family.look()

    assert len(family.sick) == 1


def test_a_job_that_breaks_the_gpu_twice_is_to_blame_itself(family: Family) -> None:
    for attempt in range(2):
        family.child(delivery=f"d-{attempt}").exits(DEVICE_BROKEN_EXIT)
        family.look()

    assert family.sick == []


def test_a_gpu_that_did_a_job_between_two_failures_is_not_sick(family: Family) -> None:
    family.child(edit=0, delivery="d-1").exits(DEVICE_BROKEN_EXIT)
    family.look()
    second = family.child(edit=1, delivery="d-2")
    second.does("end")
    assert second.does("claim", family.edits[2], "d-3")
    second.exits(DEVICE_BROKEN_EXIT)
    family.look()

    assert family.sick == []


def test_a_crash_between_two_failures_of_the_gpu_breaks_the_row(family: Family) -> None:
    for edit, code in ((0, DEVICE_BROKEN_EXIT), (1, 1), (2, DEVICE_BROKEN_EXIT)):
        family.child(edit=edit, delivery=f"d-{edit}").exits(code)
        family.look()

    assert family.sick == []


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "ended with exit code 0"),
        (86, "ended with exit code 86"),
        (-9, "was killed by signal 9 (SIGKILL)"),
        (-11, "was killed by signal 11 (SIGSEGV)"),
        (-250, "was killed by signal 250"),
        (None, "ended"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int | None, words: str) -> None:
    assert ending(code) == words


def test_what_a_child_writes_still_comes_out(family: Family, capfd: pytest.CaptureFixture[str]) -> None:
    family.child().does("say", "still here\n")
    time.sleep(0.3)
    sys.stderr.flush()

    assert "still here" in capfd.readouterr().err
