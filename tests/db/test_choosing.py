"""Whose jobs a worker takes next, one small farm at a time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from db.choice import ModelChoice
from db.choosing import choose, to_come
from db.outlook import Opening
from db.seats import Seat
from db.tables import Stage
from db.timings import Timing

BOTH = frozenset(Stage)
ME = Seat("me", BOTH, Stage.EDIT, "old")


def model(name: str = "simulated", **options: Any) -> ModelChoice:
    return ModelChoice(name=name, label=name, options=options)


def edits(run: str, waiting: int = 100, **given: Any) -> Opening:
    """Return edits of 10 s that wait, of a model that loads in 30 s; runs of one name share a model."""
    fields = {
        "stage": Stage.EDIT,
        "run_id": run,
        "scorer_id": None,
        "model": model(of=run),
        "batch_size": 1,
        "rank": 1,
        "created_at": 0.0,
        "timing": Timing(10.0, 30.0),
        "waiting": waiting,
        "running": 0,
        "to_come": 0,
    }
    return Opening(**{**fields, **given})


def scores(run: str, scorer: int = 1, waiting: int = 8, **given: Any) -> Opening:
    """Return scores that wait, of a judge of their own, in batches of 8."""
    fields = {"stage": Stage.SCORE, "scorer_id": scorer, "model": model(of=scorer), "batch_size": 8}
    return edits(run, waiting, **{**fields, **given})


def crew(*runs: str | None, stage: Stage = Stage.EDIT) -> list[Seat]:
    """Return others, each at one of these runs."""
    return [Seat(f"w{number}", BOTH, stage, run) for number, run in enumerate(runs)]


# -- edits -------------------------------------------------------------------------------------------------------------


def test_where_nothing_waits_nothing_is_chosen() -> None:
    assert choose([], ME, [], None) is None
    assert choose([edits("old", 0, running=3), edits("new", 0)], ME, [], None) is None


def test_the_more_urgent_run_goes_first_whatever_is_on_the_gpu_and_whoever_is_there() -> None:
    old, urgent = edits("old"), edits("urgent", 1, rank=0, created_at=9.0)
    assert choose([old, urgent], ME, crew("urgent", "urgent"), old.key) is urgent


def test_an_urgent_run_of_which_nothing_waits_holds_nobody_up() -> None:
    old, urgent = edits("old"), edits("urgent", 0, rank=0, running=5)
    assert choose([old, urgent], ME, [], None) is old


def test_the_run_with_the_smaller_crew_gets_the_newcomer() -> None:
    old, new = edits("old"), edits("new", created_at=9.0)
    assert choose([old, new], Seat("me", BOTH), crew("old"), None) is new
    assert choose([old, new], Seat("me", BOTH), crew("old", "new", "new"), None) is old


def test_of_runs_with_equal_crews_the_newcomer_takes_the_oldest() -> None:
    old, new = edits("old", created_at=1.0), edits("new", created_at=2.0)
    assert choose([new, old], Seat("me", BOTH), crew("old", "new"), None) is old


def test_scorers_of_a_run_are_not_of_its_crew_of_editors() -> None:
    old, new = edits("old"), edits("new", created_at=9.0)
    assert choose([old, new], Seat("me", BOTH), crew("old", "old", stage=Stage.SCORE), None) is old


def test_a_model_that_is_on_the_gpu_stays_there_while_crews_are_less_than_two_apart() -> None:
    old, new = edits("old"), edits("new", created_at=9.0)
    assert choose([old, new], ME, [], old.key) is old
    assert choose([old, new], ME, crew("new"), old.key) is old
    assert choose([old, new], ME, crew("old", "new"), old.key) is old
    assert choose([old, new], ME, crew("old", "old", "new"), old.key) is new


def test_nobody_swaps_for_less_work_than_the_swap_costs() -> None:
    old = edits("old")
    assert choose([old, edits("new", 3)], ME, crew("old"), old.key) is old
    assert choose([old, new := edits("new", 4)], ME, crew("old"), old.key) is new


def test_the_model_on_the_gpu_is_left_when_nothing_waits_for_it() -> None:
    old, new = edits("old", 0), edits("new", 1)
    assert choose([old, new], ME, crew("new", "new"), old.key) is new


def test_an_editor_that_fills_no_gpu_is_always_at_hand() -> None:
    old, light = edits("old"), edits("light", 1, model=model("pillow"), timing=Timing(0.01, 0.0))
    assert choose([old, light], ME, [], old.key) is light


def test_of_runs_that_share_a_model_one_after_the_other_gets_an_edit() -> None:
    same = model(of="both")
    runs = [edits("a", model=same), edits("b", model=same, created_at=9.0)]
    me, taken = Seat("me", BOTH), []
    for _ in range(6):
        chosen = choose(runs, me, [], runs[0].key)
        assert chosen is not None
        taken.append(chosen.run_id)
        me = Seat("me", BOTH, Stage.EDIT, chosen.run_id)
    assert taken == ["a", "b", "a", "b", "a", "b"]


@pytest.mark.parametrize(("workers", "shares"), [(2, [1, 1]), (3, [1, 2]), (4, [2, 2]), (7, [3, 4])])
def test_two_runs_share_the_workers_evenly_and_keep_them(workers: int, shares: list[int]) -> None:
    """However they begin: they decide one after another, a hundred times over, and swap no more often than it takes."""
    runs = [edits("a", 1000), edits("b", 1000, created_at=9.0)]
    for begin in ("a", "b"):
        seats = [Seat(f"w{number}", BOTH, Stage.EDIT, begin) for number in range(workers)]
        swaps = 0
        for number in [*range(workers)] * 100:
            me, others = seats[number], seats[:number] + seats[number + 1 :]
            resident = next(run.key for run in runs if run.run_id == me.run_id)
            chosen = choose(runs, me, others, resident)
            assert chosen is not None
            swaps += chosen.run_id != me.run_id
            seats[number] = Seat(me.name, BOTH, Stage.EDIT, chosen.run_id)
        assert sorted(Counter(seat.run_id for seat in seats).values()) == shares
        assert swaps == min(shares)


# -- scores ------------------------------------------------------------------------------------------------------------


def test_scores_whose_judge_is_on_the_gpu_come_first() -> None:
    here, full, old = scores("b", 1, waiting=1, created_at=9.0), scores("a", 2, waiting=80), scores("c", 3, waiting=1)
    assert choose([full, old, here], ME, [], here.key) is here


def test_scores_that_need_no_gpu_wait_for_no_swap() -> None:
    here, light = scores("a", 1, created_at=9.0), scores("b", 2, model=model("psnr"))
    assert choose([here, light], ME, [], here.key) is light


def test_a_full_batch_comes_before_one_that_is_not() -> None:
    half, full = scores("a", 1, waiting=7), scores("b", 2, waiting=8, created_at=9.0)
    assert choose([half, full], ME, [], None) is full


def test_of_full_batches_that_of_the_oldest_run_comes_first_and_of_one_run_the_first_scorers() -> None:
    new, old = scores("a", 1, waiting=80, created_at=9.0), scores("b", 7, created_at=1.0)
    assert choose([new, old], ME, [], None) is old
    second, first = scores("b", 7), scores("b", 6)
    assert choose([second, first], ME, [], None) is first


def test_more_urgent_scores_come_before_those_of_the_judge_on_the_gpu() -> None:
    here, urgent = scores("a", 1), scores("b", 2, waiting=1, rank=0)
    assert choose([here, urgent], ME, [], here.key) is urgent


# -- a model that will be needed ---------------------------------------------------------------------------------------


def test_the_model_to_come_is_that_of_the_most_urgent_of_the_oldest_runs_with_jobs_to_come() -> None:
    old, new = scores("a", 1, waiting=0, to_come=5, created_at=1.0), scores("b", 2, created_at=2.0)
    urgent = scores("c", 3, waiting=0, to_come=1, rank=0, created_at=3.0)
    assert to_come([new, old]) is old
    assert to_come([new, old, urgent]) is urgent


def test_no_model_is_to_come_for_what_is_done_or_under_way_or_needs_no_gpu() -> None:
    done, under_way = scores("a", 1, waiting=0), edits("b", 0, running=4)
    light = scores("c", 2, model=model("psnr"))
    assert to_come([done, under_way, light]) is None
