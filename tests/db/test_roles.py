"""Which stage a worker should serve: how long it takes, and who changes sides when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.roles import Place, Work, best_stage, finish, seconds_for
from db.tables import Stage
from tests.db.places import EDITOR, SCORER, work

# -- how long it takes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "places", "end"),
    [
        (0, [], 0),
        (0, [EDITOR], 0),
        (10, [], math.inf),
        (10, [EDITOR], 10),
        (10, [EDITOR, EDITOR], 5),
        (12, [EDITOR, replace(EDITOR, pace=2)], 4),
        (10, [replace(EDITOR, ready_in=7)], 17),
        (10, [EDITOR, replace(EDITOR, ready_in=4)], 7),  # 4 s alone, the 6 s that are left between two
        (10, [replace(EDITOR, ready_in=4), EDITOR], 7),
        (10, [EDITOR, replace(EDITOR, ready_in=10)], 10),  # it comes when all is done
        (10, [EDITOR, replace(EDITOR, ready_in=99)], 10),
        (30, [EDITOR, replace(EDITOR, pace=2, ready_in=6), replace(EDITOR, ready_in=12)], 13.5),
    ],
)
def test_work_is_shared_by_all_from_when_they_are_ready(seconds: float, places: list[Place], end: float) -> None:
    assert seconds_for(seconds, places) == pytest.approx(end)


def test_a_run_ends_with_its_edits_and_then_the_scores_that_are_left() -> None:
    # 4 edits of 10 s by two: 20 s, in which the scorer does 20 of 30 scores; then 10 more, by it alone
    assert finish([EDITOR, EDITOR, SCORER], work(4, 26, 4)) == pytest.approx(30)


def test_when_the_edits_are_done_the_editors_join_in_where_that_ends_sooner() -> None:
    # 20 s as above; of 120 scores 100 are left: 30 s alone, the 70 that then remain between three
    assert finish([EDITOR, EDITOR, SCORER], work(4, 116, 4)) == pytest.approx(20 + 30 + 70 / 3)


def test_who_serves_edits_alone_joins_no_scores() -> None:
    fixed = replace(EDITOR, fixed=True)
    assert finish([fixed, fixed, SCORER], work(4, 116, 4)) == pytest.approx(120)


def test_the_scores_of_the_last_edits_take_at_least_a_batch() -> None:
    assert finish([EDITOR, SCORER], work(2, 0, 2)) == pytest.approx(20 + 4)


def test_an_idle_editor_makes_no_edits() -> None:
    assert finish([EDITOR, replace(EDITOR, idle=True), SCORER], work(4)) == pytest.approx(40)


def test_edits_that_nobody_makes_have_no_end() -> None:
    assert math.isinf(finish([SCORER], work(1)))


def test_a_scorer_that_is_ready_later_does_less_meanwhile() -> None:
    # ready in 15 of the 20 s: 5 of 30 scores are done
    late = replace(SCORER, ready_in=15)
    assert finish([EDITOR, EDITOR, late], work(4, 30, swap_seconds=99)) == pytest.approx(20 + 25)


def test_a_scorer_that_is_ready_after_the_edits_makes_the_run_wait_for_it() -> None:
    late = replace(SCORER, ready_in=25)
    assert finish([EDITOR, EDITOR, late], work(4, 10, swap_seconds=99)) == pytest.approx(25 + 10)


# -- a worker with an empty queue --------------------------------------------------------------------------------------


def test_a_fixed_worker_never_changes() -> None:
    for stage, left in ((Stage.EDIT, work(waiting=1000)), (Stage.SCORE, work(1000))):
        assert best_stage(Place(stage, fixed=True), [], left) is stage
        assert best_stage(Place(stage), [], left) is not stage


def test_who_has_nothing_to_do_changes_to_a_stage_where_nobody_is() -> None:
    assert best_stage(EDITOR, [], work(waiting=1)) is Stage.SCORE
    assert best_stage(SCORER, [], work(1)) is Stage.EDIT


def test_who_has_nothing_to_do_stays_where_the_others_are_done_before_it_could_help() -> None:
    # it would be ready with a batch in 30 + 4 s
    assert best_stage(EDITOR, [SCORER], work(waiting=34)) is Stage.EDIT
    assert best_stage(EDITOR, [SCORER], work(waiting=35)) is Stage.SCORE


def test_a_fast_card_is_sooner_of_use() -> None:
    # 30 + 4 / 2 s
    assert best_stage(replace(EDITOR, pace=2), [SCORER], work(waiting=32)) is Stage.EDIT
    assert best_stage(replace(EDITOR, pace=2), [SCORER], work(waiting=33)) is Stage.SCORE


def test_an_editor_does_not_change_for_scores_that_are_still_to_come() -> None:
    assert best_stage(EDITOR, [replace(EDITOR, ready_in=5)], work(waiting=0, to_come=100)) is Stage.EDIT


def test_a_scorer_does_not_change_for_edits_that_all_have_begun() -> None:
    assert best_stage(SCORER, [EDITOR], work(0, 0, 5)) is Stage.SCORE


def test_nobody_changes_to_where_nothing_is_left() -> None:
    assert best_stage(EDITOR, [], work()) is Stage.EDIT
    assert best_stage(SCORER, [], work()) is Stage.SCORE


def test_a_scorer_whose_help_does_not_end_the_run_sooner_stays() -> None:
    # 60 s of edits by one take 60 s. With it, ready in 45 s: 52.5 s, but then the scores, in 45 s again.
    left = work(6, 0, 100, swap_seconds=45)
    assert best_stage(SCORER, [EDITOR], left) is Stage.SCORE
    assert best_stage(SCORER, [EDITOR], replace(left, scores=1.0)) is Stage.SCORE
    assert best_stage(SCORER, [EDITOR, SCORER], replace(left, edits=200.0, edits_waiting=20, scores=21.0)) is Stage.EDIT


# -- a worker with edits waiting ---------------------------------------------------------------------------------------


def test_the_last_editor_never_leaves_edits_that_wait() -> None:
    assert best_stage(EDITOR, [], work(1, 1000)) is Stage.EDIT
    assert best_stage(EDITOR, [SCORER, SCORER], work(1, 1000)) is Stage.EDIT


def test_an_editor_leaves_edits_to_another_when_the_scores_will_take_as_long_as_the_edits() -> None:
    # two: 50 s of edits, 30 s to swap, 40 s of scores. One leaves: 100 s of edits, the scores ready 10 s after them.
    assert best_stage(EDITOR, [EDITOR], work(10, 80)) is Stage.SCORE


def test_an_editor_stays_where_all_will_have_to_change_sides_anyway() -> None:
    # 280 s, whether it goes now or when the edits are done
    assert best_stage(EDITOR, [EDITOR], work(10, 400)) is Stage.EDIT


def test_an_editor_stays_while_the_scores_can_still_be_done_in_time() -> None:
    # 30 + 60 s of scores by it, 100 s of edits by the other: there is time yet
    assert best_stage(EDITOR, [EDITOR], work(10, 60)) is Stage.EDIT


def test_an_editor_changes_not_before_a_batch_is_full() -> None:
    assert best_stage(EDITOR, [EDITOR], work(10, 3, 77)) is Stage.EDIT
    assert best_stage(EDITOR, [EDITOR], work(10, 4, 76)) is Stage.SCORE


def test_a_swap_that_takes_next_to_nothing_of_what_is_left_needs_no_forethought() -> None:
    # 100 s of edits by seven, the scores by the eighth in the same time: 1 % sooner than by all and then all. A swap
    # of 1.5 s is less than 2 % of that, one of 3 s is more.
    left = work(70, 90, batch_seconds=0.1)
    assert best_stage(EDITOR, [EDITOR] * 7, replace(left, scores=98.6, swap_seconds=1.5)) is Stage.EDIT
    assert best_stage(EDITOR, [EDITOR] * 7, replace(left, scores=97.1, swap_seconds=3.0)) is Stage.SCORE


def test_a_scorer_never_leaves_scores_that_wait() -> None:
    assert best_stage(SCORER, [SCORER], work(1000, 1)) is Stage.SCORE


def test_of_three_alike_one_goes_and_the_next_sees_it_and_stays() -> None:
    left = work(10, 21)
    assert best_stage(EDITOR, [EDITOR, EDITOR], left) is Stage.SCORE
    assert best_stage(EDITOR, [EDITOR, replace(SCORER, ready_in=30)], left) is Stage.EDIT


# -- many of them ------------------------------------------------------------------------------------------------------

places = st.lists(
    st.builds(
        Place,
        st.sampled_from(Stage),
        st.sampled_from([0.5, 1.0, 1.0, 2.0]),
        st.sampled_from([0.0, 0.0, 5.0, 60.0]),
        idle=st.just(False),
        fixed=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


works = st.builds(
    work,
    st.integers(0, 40),
    st.integers(0, 200),
    st.integers(0, 100),
    swap_seconds=st.sampled_from([0.0, 1.0, 30.0, 300.0]),
    batch_size=st.sampled_from([1, 4, 16]),
)


def settled(farm: Sequence[Place], left: Work) -> tuple[list[Place], int]:
    """Let one after another decide, each seeing the others, until nobody changes; return how often one did."""
    now, changes = list(farm), 0
    while True:
        for number, place in enumerate(now):
            stage = best_stage(replace(place, ready_in=0.0), now[:number] + now[number + 1 :], left)
            if stage is not place.stage:
                now[number] = replace(place, stage=stage, ready_in=left.swap_seconds)
                changes += 1
                break
        else:
            return now, changes
        assert changes <= 2 * len(now), now


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(places, works)
def test_a_farm_comes_to_rest(farm: list[Place], left: Work) -> None:
    _, changes = settled(farm, left)
    assert changes <= 2 * len(farm)


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(places, works)
def test_no_stage_with_work_that_waits_loses_its_last_worker(farm: list[Place], left: Work) -> None:
    at_rest, _ = settled(farm, left)
    for stage in Stage:
        if left.waiting(stage) and any(place.stage is stage for place in farm):
            assert any(place.stage is stage for place in at_rest)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(places, works)
def test_work_that_waits_where_nobody_is_finds_somebody_as_soon_as_one_is_free(farm: list[Place], left: Work) -> None:
    at_rest, _ = settled(farm, left)
    for stage in Stage:
        others = Stage.SCORE if stage is Stage.EDIT else Stage.EDIT
        free = [place for place in farm if place.stage is others and not place.fixed and not left.waiting(others)]
        if left.waiting(stage) and free:
            assert any(place.stage is stage for place in at_rest)
