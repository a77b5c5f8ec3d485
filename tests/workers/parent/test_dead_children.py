"""What a parent makes of a child's death: its jobs handed back, with how it ended and the end of its log."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from db.ledger import Ledger
from db.owner import process_of
from db.tables import State
from tests.workers.parent.family import Family
from workers.last_words import ending

pytestmark = pytest.mark.integration


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
