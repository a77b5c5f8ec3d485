"""Every score as it comes in, as a verbose watch writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from db.ledger import Ledger
from producer.watch import given as giving
from tests.conftest import Clock
from tests.db.steps import finish_score
from tests.producer.activity.conftest import (
    hear,
    watched,
)
from tests.producer.by_hand import RunByHand


def give(run: RunByHand, key: str, label: str, value: float, reasoning: str = "", repeat: int = 0) -> None:
    """Give a score with the judge's reasons."""
    claim = run.start_score(key, label, repeat)
    assert finish_score(run.ledger, claim, value, seconds=1, detail={"reasoning": reasoning})


class Looks:
    """Does one step at each look."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = iter(steps)

    def __call__(self, _shown: str) -> None:
        next(self._steps)()


def nothing() -> None:
    pass


def score_lines(shown: str) -> list[str]:
    """Return the lines of a pipe that are no progress."""
    return [line for line in shown.splitlines() if not line.startswith(("run ", "  "))]


@pytest.fixture
def run(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> RunByHand:
    """A run of three samples with every edit made, and two scorers; nothing is heard of its workers."""
    hear(None, monkeypatch)
    run = RunByHand(ledger)
    run.edit("a", "b", "c")
    return run


def cancel(run: RunByHand) -> Callable[[], int]:
    return lambda: run.ledger.cancel(run.id)


def test_a_verbose_watch_writes_category_sample_scorer_value_and_reasons(run: RunByHand) -> None:
    give(run, "b", "严", 8.5, "The sky\n is  grey.")

    shown = watched(run, Looks(cancel(run)), verbose=True)

    assert score_lines(shown) == ["物理 (physical)  b  严  8.50  The sky is grey."]


def test_each_score_is_written_once_in_the_order_in_which_they_came(run: RunByHand, clock: Clock) -> None:
    def later(*score: Any) -> Callable[[], None]:
        def step() -> None:
            clock.now += 1
            give(run, *score)

        return step

    looks = Looks(later("a", "严", 1), nothing, later("b", "宽", 2), later("a", "宽", 3), nothing, cancel(run))

    shown = watched(run, looks, verbose=True)

    assert [line.split()[2:5] for line in score_lines(shown)] == [
        ["a", "严", "1.00"],
        ["b", "宽", "2.00"],
        ["a", "宽", "3.00"],
    ]


def test_a_score_that_is_committed_late_with_an_earlier_time_is_written_too(run: RunByHand, clock: Clock) -> None:
    early, late = run.start_score("a", "严"), run.start_score("b", "严")

    def finish(claim: Any, at: float) -> Callable[[], object]:
        def step() -> None:
            clock.now = at
            assert finish_score(run.ledger, claim, 5, seconds=1, detail={})

        return step

    now = clock.now
    looks = Looks(finish(late, now + 20), nothing, finish(early, now + 10), nothing, cancel(run))

    shown = watched(run, looks, verbose=True)

    assert [line.split()[2] for line in score_lines(shown)] == ["b", "a"]


def test_the_scores_of_a_finished_run_are_all_written(run: RunByHand) -> None:
    for key in ("a", "b", "c"):
        for label in ("严", "宽"):
            give(run, key, label, 5)

    assert len(score_lines(watched(run, verbose=True))) == 6


def test_a_failed_score_is_not_written(run: RunByHand) -> None:
    run.fail_score("a", "严")
    give(run, "b", "严", 5)

    assert [line.split()[2] for line in score_lines(watched(run, Looks(cancel(run)), verbose=True))] == ["b"]


def test_a_repeat_is_named_by_its_number(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    hear(None, monkeypatch)
    run = RunByHand(ledger, [("物理", "a")], repeats=2)
    run.edit("a")
    run.edit("a", repeat=1)
    give(run, "a", "严", 5, repeat=1)

    (line,) = score_lines(watched(run, Looks(cancel(run)), verbose=True))

    assert line.split()[2:4] == ["a", "#1"]


def test_long_reasons_are_cut_at_the_end_of_the_line(run: RunByHand) -> None:
    give(run, "a", "严", 5, "The beginning of it. " + "And more of it. " * 100)

    (line,) = score_lines(watched(run, Looks(cancel(run)), verbose=True, width=60))

    assert "5.00  The beginning of it." in line
    assert line.endswith("…")


@pytest.mark.parametrize("text", ["[red]x[/red]", "[/]", ":smile:", "{value}"])
def test_reasons_are_written_as_they_are(run: RunByHand, text: str) -> None:
    give(run, "a", "严", 5, text)

    assert score_lines(watched(run, Looks(cancel(run)), verbose=True))[0].endswith(f"5.00  {text}")


@pytest.mark.parametrize("verbose", [False, True])
def test_only_a_verbose_watch_writes_scores(run: RunByHand, verbose: bool) -> None:
    give(run, "a", "严", 5, "The sky is grey.")

    assert ("The sky is grey." in watched(run, Looks(cancel(run)), verbose=verbose)) is verbose


def test_a_terminal_gets_the_scores_above_the_bars(run: RunByHand) -> None:
    give(run, "a", "严", 5, "The sky is grey.")

    shown = watched(run, Looks(nothing, nothing, cancel(run)), verbose=True, terminal=True)

    assert shown.count("The sky is grey.") == 1


def test_reasons_cannot_steer_the_terminal(run: RunByHand) -> None:
    give(run, "a", "严", 5, "\x1b[2Jgone")

    assert "\x1b[2J" not in watched(run, Looks(cancel(run)), verbose=True)


def test_a_database_that_is_silent_while_scores_are_asked_for_costs_the_watch_nothing(
    run: RunByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(run, "a", "严", 5)
    scores_given, silences = giving.scores_given, iter([True])

    def silent_at_first(*asked: Any) -> Any:
        if next(silences, False):
            raise OperationalError("SELECT", {}, Exception("the database went away"))
        return scores_given(*asked)

    monkeypatch.setattr(giving, "scores_given", silent_at_first)

    said, *scores = score_lines(watched(run, Looks(nothing, cancel(run)), verbose=True))
    assert said == "the database does not answer (the database went away); waiting for it"
    assert len(scores) == 1
