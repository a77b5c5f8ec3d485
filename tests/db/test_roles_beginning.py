"""Whether a worker should begin an edit, and with which stage a farm begins."""

from __future__ import annotations

from dataclasses import replace

from db.roles import Place, first_scorers, first_stage, worth_beginning
from db.tables import Stage
from tests.db.places import EDITOR, SCORER, work

# -- beginning an edit -------------------------------------------------------------------------------------------------


def test_a_slow_card_does_not_begin_an_edit_that_faster_ones_would_have_done_before_it() -> None:
    slow, fast = Place(Stage.EDIT, 0.5), Place(Stage.EDIT, 2.0)  # 20 s and 5 s an edit: four while it makes one
    assert not worth_beginning(slow, [fast], work(4))
    assert worth_beginning(slow, [fast], work(5))


def test_a_faster_card_counts_for_the_edits_that_it_ends_in_time() -> None:
    slow, fast = Place(Stage.EDIT, 0.5), Place(Stage.EDIT, 2.0)
    assert worth_beginning(slow, [replace(fast, ready_in=6)], work(3))  # 14 s are left to it: two edits
    assert not worth_beginning(slow, [replace(fast, ready_in=5)], work(3))


def test_a_card_that_is_busy_for_long_takes_nothing_from_what_others_do() -> None:
    slow, fast = Place(Stage.EDIT, 0.5), Place(Stage.EDIT, 2.0)
    assert not worth_beginning(slow, [fast, replace(fast, ready_in=120)], work(4))


def test_cards_alike_do_not_wait_for_each_other() -> None:
    assert worth_beginning(EDITOR, [EDITOR] * 9, work(1))


def test_who_has_found_nothing_to_do_leaves_the_edit_to_others() -> None:
    slow, fast = Place(Stage.EDIT, 0.5), Place(Stage.EDIT, 2.0)
    assert worth_beginning(slow, [replace(fast, idle=True)], work(1))


def test_scorers_make_no_edits() -> None:
    slow, fast = Place(Stage.EDIT, 0.5), Place(Stage.SCORE, 2.0)
    assert worth_beginning(slow, [fast] * 9, work(1))


def test_an_edit_that_takes_no_time_is_always_begun() -> None:
    slow, fast = Place(Stage.EDIT, 0.5), Place(Stage.EDIT, 2.0)
    assert worth_beginning(slow, [fast], work(1, edit_seconds=0.0))


# -- with what to begin ------------------------------------------------------------------------------------------------


def test_a_single_worker_begins_with_the_edits_and_with_the_scores_where_only_those_are_left() -> None:
    assert first_stage(EDITOR, [], [], work(10, 0, 10)) is Stage.EDIT
    assert first_stage(EDITOR, [], [], work(0, 10)) is Stage.SCORE


def test_somebody_begins_with_the_edits_however_many_scores_there_are() -> None:
    assert first_scorers([EDITOR, EDITOR], [], work(1, 10_000)) == 1
    assert first_scorers([EDITOR, EDITOR], [EDITOR], work(1, 10_000)) == 2


def test_as_many_begin_as_scorers_as_will_be_busy_all_the_time() -> None:
    # 1,000 s of edits, 1,100 s of scores and one swap by four: 532.5 s, in which two scorers do 1,065 s
    assert first_scorers([EDITOR] * 4, [], work(100, 0, 100, scores=1100.0)) == 2
    # by three 520 s of scores: 516.7 s, in which one scorer has enough to do
    assert first_scorers([EDITOR] * 3, [], work(100, 0, 100, scores=520.0)) == 1
    # 450 s of scores: it would run out 43 s before the end, so all begin as editors, and one changes in time
    assert first_scorers([EDITOR] * 3, [], work(100, 0, 100, scores=450.0)) == 0
    # by ten 105 s: one scorer has enough to do
    assert first_scorers([EDITOR] * 10, [], work(90, 0, 120)) == 1


def test_where_forethought_gains_nothing_it_is_as_many_as_end_it_the_soonest() -> None:
    # two edits of 10 s and a swap of 300 s: whoever begins with the edits will never get to the scores
    assert first_scorers([EDITOR] * 4, [], work(2, 0, 30, swap_seconds=300.0)) == 2


def test_where_others_are_scorers_already_a_newcomer_begins_with_the_edits() -> None:
    left = work(100, 0, 100, scores=1100.0)
    assert first_stage(EDITOR, [], [SCORER, SCORER], left) is Stage.EDIT
    assert first_stage(EDITOR, [], [EDITOR, EDITOR, SCORER], left) is Stage.SCORE


def test_one_after_another_they_begin_as_all_of_them_at_once_would() -> None:
    left = work(100, 0, 100, scores=1100.0)
    free, settled_stages = [EDITOR] * 4, list[Stage]()
    while free:
        me = free.pop()
        settled_stages.append(first_stage(me, free, [Place(stage) for stage in settled_stages], left))
    assert settled_stages == [Stage.SCORE, Stage.SCORE, Stage.EDIT, Stage.EDIT]
