"""What is left to do, as a worker sees it before it takes its next job."""

from __future__ import annotations

import pytest

from db.jobs import Failure
from db.ledger import Ledger
from db.outlook import Lookout, Opening, Outlook
from db.owner import Process
from db.roles import Place
from db.seats import Seat, take_seat
from db.tables import FailureKind, Stage
from db.timings import EDIT_SECONDS, Timing, remember
from db.transitions import BACK_OFF_SECONDS
from tests.conftest import Clock
from tests.db.steps import IMAGE, claimed, claimed_scores, finish_edit, finish_score, job_ids, queued_scores
from tests.factories import enter

TWO_SCORERS = [{"name": "simulated", "batch_size": 4}, {"name": "psnr", "batch_size": 2}]


def look(ledger: Ledger, lookout: Lookout | None = None) -> Outlook:
    with ledger.read() as (connection, now):
        return (lookout or Lookout()).look(connection, now)


def counts(openings: list[Opening]) -> list[tuple[int, int, int]]:
    return [(opening.waiting, opening.running, opening.to_come) for opening in openings]


def finished(ledger: Ledger, edit_id: int) -> None:
    assert finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0) is not None


def test_where_nothing_was_asked_nothing_is_left(ledger: Ledger) -> None:
    assert look(ledger) == Outlook([], [])


def test_a_new_run_has_an_opening_for_its_editor_and_one_for_each_scorer(ledger: Ledger) -> None:
    run_id = enter(ledger, 3, scorers=TWO_SCORERS, priority="high")
    outlook = look(ledger)
    (editor,), (judge, arithmetic) = outlook.at(Stage.EDIT), outlook.at(Stage.SCORE)
    assert [opening.run_id for opening in outlook.openings] == [run_id] * 3
    assert [opening.model.name for opening in outlook.openings] == ["simulated", "simulated", "psnr"]
    assert [opening.batch_size for opening in outlook.openings] == [1, 4, 2]
    assert [opening.fills_gpu for opening in outlook.openings] == [True, True, False]
    assert editor.scorer_id is None
    assert judge.scorer_id != arithmetic.scorer_id
    assert {opening.rank for opening in outlook.openings} == {0}
    assert counts([editor, judge, arithmetic]) == [(3, 0, 0), (0, 0, 3), (0, 0, 3)]


def test_what_waits_is_under_way_and_is_still_to_come_is_counted_apart(ledger: Ledger) -> None:
    run_id = enter(ledger, 5, scorers=TWO_SCORERS)
    done, done_too, running, failed, _waiting = job_ids(ledger, Stage.EDIT, run_id)
    finished(ledger, done)
    finished(ledger, done_too)
    claimed(ledger, running)
    ledger.fail(claimed(ledger, failed), Failure(FailureKind.INPUT, "image is empty"))
    first, second, third, _fourth = job_ids(ledger, Stage.SCORE, run_id)
    [score] = claimed_scores(ledger, [first])
    finish_score(ledger, score, 5.0, seconds=1.0)
    claimed_scores(ledger, [third])

    outlook = look(ledger)
    assert counts(outlook.at(Stage.EDIT)) == [(1, 1, 0)]
    assert counts(outlook.at(Stage.SCORE)) == [(0, 1, 2), (2, 0, 2)]  # of each two edits more are to come
    assert (outlook.waiting(Stage.EDIT), outlook.waiting(Stage.SCORE)) == (1, 2)
    assert second  # it waits for the other scorer


def test_what_waits_behind_a_back_off_does_not_wait_for_a_worker_but_is_not_forgotten(
    ledger: Ledger, clock: Clock
) -> None:
    again, _ = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    ledger.fail(claimed(ledger, again), Failure(FailureKind.STORE, "disk full", again=True))
    assert counts(look(ledger).at(Stage.EDIT)) == [(1, 1, 0)]
    assert counts(look(ledger).at(Stage.SCORE)) == [(0, 0, 2)]
    clock.now += BACK_OFF_SECONDS
    assert counts(look(ledger).at(Stage.EDIT)) == [(2, 0, 0)]


@pytest.mark.parametrize("ended", ["cancelled", "failed", "done"])
def test_a_run_that_has_ended_is_left_out(ledger: Ledger, ended: str) -> None:
    run_id = enter(ledger, scorers=["simulated"])
    [edit] = job_ids(ledger, Stage.EDIT, run_id)
    if ended == "cancelled":
        ledger.cancel(run_id)
    elif ended == "failed":
        ledger.fail(claimed(ledger, edit), Failure(FailureKind.INPUT, "image is empty"))
    else:
        finished(ledger, edit)
        assert len(look(ledger).openings) == 2
        [score] = claimed_scores(ledger, job_ids(ledger, Stage.SCORE, run_id))
        finish_score(ledger, score, 5.0, seconds=1.0)
    assert look(ledger).openings == []


def test_runs_come_in_the_order_of_their_age_each_with_its_own_counts(ledger: Ledger) -> None:
    old, new = enter(ledger, 2), enter(ledger, 3, seed=1, priority="low")
    editing = look(ledger).at(Stage.EDIT)
    assert [(one.run_id, one.rank, one.waiting) for one in editing] == [(old, 1, 2), (new, 2, 3)]
    assert editing[0].created_at < editing[1].created_at


def test_a_run_that_is_resumed_is_there_again(ledger: Ledger) -> None:
    lookout, run_id = Lookout(), enter(ledger, 2)
    look(ledger, lookout)
    ledger.cancel(run_id)
    assert look(ledger, lookout).openings == []
    ledger.resume(run_id)
    assert counts(look(ledger, lookout).at(Stage.EDIT)) == [(2, 0, 0)]


def test_a_run_that_came_since_the_last_look_is_seen(ledger: Ledger) -> None:
    lookout = Lookout()
    first = enter(ledger, 1)
    look(ledger, lookout)
    second = enter(ledger, 1, seed=1, scorers=TWO_SCORERS)
    assert [one.run_id for one in look(ledger, lookout).openings] == [first, first, second, second, second]


def test_what_a_model_took_is_known_for_every_run_that_has_it(ledger: Ledger) -> None:
    enter(ledger, 1)
    enter(ledger, 1, seed=1)
    enter(ledger, 1, seed=2, editor={"name": "simulated", "steps": 3})
    key = look(ledger).at(Stage.EDIT)[0].key
    with ledger.write() as (connection, now):
        remember(connection, now, key, [2.0], 9.0)
    known = [opening.timing for opening in look(ledger).at(Stage.EDIT)]
    assert known[:2] == [Timing(2.0, 9.0, measured=True)] * 2
    assert (known[2].seconds, known[2].measured) == (EDIT_SECONDS, False)


def test_who_is_there_is_seen_with_what_is_left(ledger: Ledger) -> None:
    queued_scores(ledger)
    seat = Seat("w", frozenset(Stage), Stage.SCORE, "run")
    with ledger.write() as (connection, now):
        take_seat(connection, now, seat, Process("host/1", 7, "100"), "")
    assert look(ledger).seats == [seat]


# -- in a nutshell -----------------------------------------------------------------------------------------------------


def test_what_is_left_of_all_runs_is_told_in_seconds(ledger: Ledger) -> None:
    run_id = enter(ledger, 4, scorers=TWO_SCORERS)
    enter(ledger, 2, seed=1, editor={"name": "simulated", "steps": 3})
    finished(ledger, job_ids(ledger, Stage.EDIT, run_id)[0])
    claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[1])
    took = {"simulated": 8.0, "psnr": 0.5}
    for opening in look(ledger).openings:
        with ledger.write() as (connection, now):
            steps = opening.model.options.get("steps")
            seconds = took[opening.model.name] if opening.stage is Stage.SCORE else 20.0 if steps == 3 else 5.0
            remember(connection, now, opening.key, [seconds])

    work = look(ledger).work(swap_seconds=7.0)
    assert (work.edits_waiting, work.edits) == (2 + 2, 2 * 5.0 + 2 * 20.0)
    assert work.edit_seconds == pytest.approx(50 / 4)
    # the first run: one of each waits, three are to come; the second: two are to come, of the same judge
    assert work.scores_waiting == 2
    assert work.scores == pytest.approx(4 * (8.0 + 0.5) + 2 * 8.0)
    assert work.batch_size == 8  # the largest; that of the second run
    assert work.batch_seconds == pytest.approx(50 / 10 * 8)
    assert work.swap_seconds == 7.0


def test_where_nothing_is_left_no_time_is(ledger: Ledger) -> None:
    work = look(ledger).work(swap_seconds=7.0)
    assert (work.edits, work.scores, work.edit_seconds, work.batch_seconds) == (0, 0, 0, 0)
    assert work.batch_size == 1


BOTH, EDIT, SCORE = frozenset(Stage), frozenset({Stage.EDIT}), frozenset({Stage.SCORE})


def test_everybody_elses_place_is_where_its_seat_is(ledger: Ledger) -> None:
    there = Seat("a", BOTH, Stage.SCORE, "run", ready_in=4.0, idle=True, pace=2.0)
    places = Outlook([], [there, Seat("b", EDIT, Stage.EDIT), Seat("me", BOTH, Stage.EDIT)]).places(without="me")
    assert places == [
        Place(Stage.SCORE, 2.0, 4.0, idle=True, fixed=False),
        Place(Stage.EDIT, 1.0, 0.0, idle=False, fixed=True),
    ]


def test_who_has_not_begun_is_about_to_edit_where_there_is_an_edit_for_each(ledger: Ledger) -> None:
    enter(ledger, 2)
    openings = look(ledger).openings
    seats = [Seat("a", BOTH), Seat("b", EDIT), Seat("c", BOTH, Stage.SCORE)]
    outlook = Outlook(openings, seats)
    assert [place.stage for place in outlook.places(without="me")] == [Stage.EDIT, Stage.EDIT, Stage.SCORE]
    assert [place.stage for place in outlook.places(without="me", beginning=False)] == [Stage.SCORE]
    assert [place.stage for place in outlook.places(without="c")] == [Stage.EDIT, Stage.EDIT]

    crowded = Outlook(openings, [*seats, Seat("d", BOTH)])
    assert [place.stage for place in crowded.places(without="me")] == [Stage.SCORE]


def test_a_scorer_that_has_not_begun_is_not_about_to_edit(ledger: Ledger) -> None:
    enter(ledger, 2)
    assert Outlook(look(ledger).openings, [Seat("s", SCORE)]).places(without="me") == []
