"""Edits that several runs ask for alike: made once, and taken over by all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from db.configuration import resolve_configuration
from db.engine import reading
from db.jobs import Done, Failure
from db.ledger import Ledger
from db.tables import FailureKind, Stage, State, edits, scores
from db.twins import AT_ONCE, is_made_elsewhere
from tests.db.steps import IMAGE, claimant, claimed, claimed_scores, finish_edit, finish_score, job, job_ids
from tests.factories import enter

SCORERS = {"scorers": [{"name": "simulated", "label": "other"}]}


def states(ledger: Ledger, run_id: str) -> list[str]:
    return [job(ledger, Stage.EDIT, number).state for number in job_ids(ledger, Stage.EDIT, run_id)]


def make(ledger: Ledger, edit_ids: Sequence[int]) -> None:
    for edit_id in edit_ids:
        assert finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=2.5, detail={"steps": 8}) is not None


def test_a_run_takes_over_what_another_has_made_and_asks_only_for_its_own_scores(ledger: Ledger) -> None:
    first = enter(ledger, 2)
    made, _ = job_ids(ledger, Stage.EDIT, first)
    make(ledger, [made])

    second = enter(ledger, 2, **SCORERS)

    shared, own = (job(ledger, Stage.EDIT, number) for number in job_ids(ledger, Stage.EDIT, second))
    original = job(ledger, Stage.EDIT, made)
    assert (shared.state, own.state) == (State.DONE, State.QUEUED)
    for column in ("image", "seconds", "detail", "environment", "worker", "started_at"):
        assert shared._mapping[column] == original._mapping[column]
    assert (shared.made_for, shared.attempt, original.made_for) == (first, 1, None)
    (score,) = [job(ledger, Stage.SCORE, number) for number in job_ids(ledger, Stage.SCORE, second)]
    assert (score.edit_id, score.state, score.published_at) == (shared.id, State.QUEUED, None)


def test_an_edit_that_is_finished_is_finished_for_every_run_that_waits_for_it(ledger: Ledger) -> None:
    first, second = enter(ledger, 1), enter(ledger, 1, **SCORERS)
    (edit_id,) = job_ids(ledger, Stage.EDIT, first)

    kept, doorbells = ledger.finish_edits([(claimed(ledger, edit_id), Done(IMAGE, 1.0))])

    assert kept == [edit_id]
    assert states(ledger, first) == states(ledger, second) == [State.DONE]
    assert [doorbell.job_id for doorbell in doorbells] == [
        *job_ids(ledger, Stage.SCORE, first),
        *job_ids(ledger, Stage.SCORE, second),
    ]
    for score in claimed_scores(ledger, [doorbell.job_id for doorbell in doorbells]):
        assert finish_score(ledger, score, 5.0, seconds=1.0)


@pytest.mark.parametrize(
    "given",
    [
        {"seed": 1},
        {"editor": {"name": "simulated", "steps": 3}},
        {"fresh": True, **SCORERS},
    ],
)
def test_runs_of_another_seed_or_editor_and_fresh_ones_share_nothing(ledger: Ledger, given: dict[str, Any]) -> None:
    make(ledger, job_ids(ledger, Stage.EDIT, enter(ledger, 1)))

    other = enter(ledger, 1, **given)

    assert states(ledger, other) == [State.QUEUED]


def test_a_fresh_run_makes_its_edits_for_itself_alone(ledger: Ledger) -> None:
    fresh = enter(ledger, 1, fresh=True)

    other = enter(ledger, 1, **SCORERS)
    make(ledger, job_ids(ledger, Stage.EDIT, fresh))

    assert states(ledger, other) == [State.QUEUED]


def test_repeats_are_taken_over_each_from_its_own(ledger: Ledger) -> None:
    first = enter(ledger, 1)
    make(ledger, job_ids(ledger, Stage.EDIT, first))

    second = enter(ledger, 1, repeats=2)

    assert states(ledger, second) == [State.DONE, State.QUEUED]


def test_another_version_of_a_benchmark_takes_over_the_samples_that_did_not_change(ledger: Ledger) -> None:
    make(ledger, job_ids(ledger, Stage.EDIT, enter(ledger, ["a", "b"])))

    second = enter(ledger, ["c", "b", "a"])

    assert states(ledger, second) == [State.QUEUED, State.DONE, State.DONE]


def test_a_sample_whose_instruction_changed_is_another(ledger: Ledger) -> None:
    first = enter(ledger, 2)
    made, waiting = job_ids(ledger, Stage.EDIT, first)
    make(ledger, [made])

    second = enter(ledger, 2, instruction="make it snow")
    make(ledger, [waiting])

    assert states(ledger, second) == [State.QUEUED, State.QUEUED]


def test_a_label_does_not_make_another_editor() -> None:
    plain = resolve_configuration({"editor": "simulated", "scorers": ["simulated"]})
    labelled = resolve_configuration({"editor": {"name": "simulated", "label": "mine"}, "scorers": ["simulated"]})

    assert plain.editing_digest() == labelled.editing_digest()
    assert plain.digest() != labelled.digest()


def test_a_failure_is_not_shared(ledger: Ledger) -> None:
    first, second = enter(ledger, 1), enter(ledger, 1, **SCORERS)
    (edit_id,) = job_ids(ledger, Stage.EDIT, first)

    ledger.fail(claimed(ledger, edit_id), Failure(FailureKind.INPUT, "no image"))

    assert (states(ledger, first), states(ledger, second)) == ([State.FAILED], [State.QUEUED])
    assert states(ledger, enter(ledger, 1, limit=1)) == [State.QUEUED]


def test_what_somebody_else_has_under_way_is_known_and_no_longer_when_it_ends(ledger: Ledger) -> None:
    first, second = enter(ledger, 2), enter(ledger, 2, **SCORERS)
    busy, _ = job_ids(ledger, Stage.EDIT, first)
    claim = claimed(ledger, busy)

    def elsewhere() -> list[int]:
        with reading(ledger.engine) as connection:
            return list(connection.scalars(select(edits.c.id).where(is_made_elsewhere()).order_by(edits.c.id)))

    twin, _ = job_ids(ledger, Stage.EDIT, second)
    assert elsewhere() == [twin]
    ledger.release_unbegun([claim])
    assert elsewhere() == []


def test_an_edit_under_way_keeps_its_own_result(ledger: Ledger) -> None:
    first, second = enter(ledger, 1), enter(ledger, 1, **SCORERS)
    here, there = (claimed(ledger, job_ids(ledger, Stage.EDIT, run)[0]) for run in (first, second))

    ledger.finish_edits([(here, Done(IMAGE, 1.0))])
    ledger.finish_edits([(there, Done("a" * 64, 1.0))])

    row = job(ledger, Stage.EDIT, there.job_id)
    assert (row.image, row.made_for) == ("a" * 64, None)
    assert job(ledger, Stage.EDIT, here.job_id).image == IMAGE


@pytest.mark.parametrize("verb", ["resume", "retry"])
def test_what_is_asked_again_is_taken_over_where_it_was_made_meanwhile(ledger: Ledger, verb: str) -> None:
    first, second = enter(ledger, 1), enter(ledger, 1, **SCORERS)
    if verb == "resume":
        ledger.cancel(second)
    else:
        (edit_id,) = job_ids(ledger, Stage.EDIT, second)
        ledger.fail(claimed(ledger, edit_id), Failure(FailureKind.ERROR, "bug"))
    make(ledger, job_ids(ledger, Stage.EDIT, first))
    assert states(ledger, second) != [State.DONE]

    assert getattr(ledger, verb)(second) == 1

    (edit_id,) = job_ids(ledger, Stage.EDIT, second)
    assert (states(ledger, second), job(ledger, Stage.EDIT, edit_id).made_for) == ([State.DONE], first)


def test_an_image_that_is_made_again_was_made_for_its_own_run(ledger: Ledger) -> None:
    first = enter(ledger, 1)
    make(ledger, job_ids(ledger, Stage.EDIT, first))
    second = enter(ledger, 1, **SCORERS)
    (edit_id,) = job_ids(ledger, Stage.EDIT, second)

    assert ledger.remake([edit_id]) == 1
    assert job(ledger, Stage.EDIT, edit_id).made_for is None
    make(ledger, [edit_id])

    assert states(ledger, second) == [State.DONE]
    with reading(ledger.engine) as connection:
        assert connection.scalars(select(scores.c.edit_id).where(scores.c.edit_id == edit_id)).all() == [edit_id]


def test_a_third_run_knows_for_which_one_the_image_was_made(ledger: Ledger) -> None:
    first = enter(ledger, 1)
    make(ledger, job_ids(ledger, Stage.EDIT, first))
    runs = [enter(ledger, 1, scorers=[{"name": "simulated", "label": label}]) for label in ("second", "third")]

    assert [job(ledger, Stage.EDIT, job_ids(ledger, Stage.EDIT, run)[0]).made_for for run in runs] == [first, first]


def test_more_than_one_statement_can_hold_are_taken_over(ledger: Ledger) -> None:
    samples = AT_ONCE + 1
    first = enter(ledger, samples)
    claims = ledger.claim_edits(edits.c.run_id == first, claimant(), samples)
    ledger.finish_edits([(claim, Done(IMAGE, 1.0)) for claim in claims])

    second = enter(ledger, samples, **SCORERS)

    with reading(ledger.engine) as connection:
        of_second = connection.scalars(select(edits.c.state).where(edits.c.run_id == second)).all()
    assert of_second == [State.DONE] * samples
    assert len(job_ids(ledger, Stage.SCORE, second)) == samples
