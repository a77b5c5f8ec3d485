"""One sample of a run: found by its name, with all that is known of it."""

from __future__ import annotations

import pytest

from db.errors import UnknownSample, WrongCall
from db.jobs import Failure
from db.ledger import Ledger
from db.one_sample import edit_once_more, edits_of_sample, find_sample, scores_of_edit, scores_once_more
from db.seeds import edit_seed
from db.tables import FailureKind
from tests.producer.by_hand import RunByHand

ENTRIES = [("物理", "a"), ("物理", "p-12"), ("社会", "a"), ("社会", "x/y"), ("x", "y")]


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    return RunByHand(ledger, ENTRIES)


@pytest.mark.parametrize(
    ("given", "category", "key"),
    [
        ("p-12", "物理", "p-12"),
        ("物理/a", "物理", "a"),
        ("social/a", "社会", "a"),
        ("x/y", "社会", "x/y"),  # a key before a category and a key
        ("社会/x/y", "社会", "x/y"),
    ],
)
def test_a_sample_is_found_by_its_key_or_by_category_and_key(
    run: RunByHand, given: str, category: str, key: str
) -> None:
    found = find_sample(run.ledger.engine, run.id, given)

    assert (found.category, found.key) == (category, key)


def test_a_key_of_several_categories_is_refused_with_their_names(run: RunByHand) -> None:
    with pytest.raises(WrongCall, match="sample 'a' is in several categories: say which of '物理/a', '社会/a'"):
        find_sample(run.ledger.engine, run.id, "a")


def test_a_sample_that_there_is_not_is_told_with_those_of_a_similar_name(run: RunByHand) -> None:
    with pytest.raises(UnknownSample, match=f"^run {run.id} has no sample 'p-11': is it 'p-12'\\?$"):
        find_sample(run.ledger.engine, run.id, "p-11")
    with pytest.raises(UnknownSample, match=r"has no sample 'nothing/like it'$"):
        find_sample(run.ledger.engine, run.id, "nothing/like it")


def test_a_sample_that_the_run_leaves_out_is_none_of_it(ledger: Ledger) -> None:
    run = RunByHand(ledger, ENTRIES, limit=1)

    assert find_sample(ledger.engine, run.id, "a").category == "物理"
    with pytest.raises(UnknownSample):
        find_sample(ledger.engine, run.id, "p-12")


def test_edits_and_scores_of_a_sample_are_those_of_this_run_in_order(ledger: Ledger) -> None:
    run = RunByHand(ledger, ENTRIES, repeats=2)
    RunByHand(ledger, ENTRIES, repeats=3, seed=1)
    run.edit("p-12", repeat=1)
    run.score("p-12", "宽", 3, repeat=1)
    sample = find_sample(ledger.engine, run.id, "p-12")

    edits = edits_of_sample(ledger.engine, run.id, sample.id)

    assert [(edit.repeat, edit.state, edit.facts) for edit in edits] == [(0, "queued", None), (1, "done", None)]
    assert [(one.label, one.judge_repeat, one.value) for one in scores_of_edit(ledger.engine, edits[1].id)] == [
        ("严", 0, None),
        ("宽", 0, 3.0),
    ]


def test_an_edit_is_made_once_more_with_the_very_seed_and_editor(ledger: Ledger) -> None:
    run = RunByHand(ledger, ENTRIES, repeats=2, seed=7, editor={"name": "simulated", "label": "mine", "width": 32})

    claim = edit_once_more(ledger.engine, run.id, find_sample(ledger.engine, run.id, "p-12"), 1)

    assert (claim.seed, claim.key, claim.instruction) == (edit_seed(7, "p-12", 1), "p-12", "变亮")
    assert (claim.model.label, claim.model.options["width"]) == ("mine", 32)
    assert claim == run.start_edit("p-12", repeat=1)  # as a worker would have it


def test_a_repeat_that_there_is_not_is_refused(run: RunByHand) -> None:
    with pytest.raises(UnknownSample, match="sample 'p-12' has no repeat 1: there are 1, counted from 0"):
        edit_once_more(run.ledger.engine, run.id, find_sample(run.ledger.engine, run.id, "p-12"), 1)


def test_scores_are_given_once_more_as_a_worker_would_beside_what_is_known(run: RunByHand) -> None:
    engine = run.ledger.engine
    run.edit("p-12")
    run.ledger.fail(run.start_score("p-12", "宽"), Failure(FailureKind.UNPARSED, "no score"))
    edit = edit_once_more(engine, run.id, find_sample(engine, run.id, "p-12"), 0)

    (strict, stored), (_, failed) = scores_once_more(engine, edit, "f" * 64)

    assert (stored.label, stored.state, stored.value) == ("严", "queued", None)
    assert (failed.label, failed.failure_kind, failed.failure_reason) == ("宽", "unparsed", "no score")
    assert strict.edited_image == "f" * 64
    claimed = run.start_score("p-12", "严")
    assert (strict.seed, strict.model, strict.category) == (claimed.seed, claimed.model, claimed.category)


def test_each_time_that_a_judge_is_asked_has_its_own_seed_once_more(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=[{"name": "simulated", "label": "judge", "repeats": 2}])
    run.edit("a")
    edit = edit_once_more(ledger.engine, run.id, find_sample(ledger.engine, run.id, "a"), 0)

    again = scores_once_more(ledger.engine, edit, "f" * 64)

    assert [stored.judge_repeat for _, stored in again] == [0, 1]
    claimed = [run.start_score("a", "judge", judge_repeat=judge_repeat) for judge_repeat in (0, 1)]
    assert [claim.seed for claim, _ in again] == [claim.seed for claim in claimed]
    assert claimed[0].seed != claimed[1].seed


def test_an_edit_without_scores_is_scored_once_more_by_every_scorer(run: RunByHand) -> None:
    engine = run.ledger.engine
    run.fail_edit("p-12")
    edit = edit_once_more(engine, run.id, find_sample(engine, run.id, "p-12"), 0)

    assert [(one.label, one.state) for _, one in scores_once_more(engine, edit, "f" * 64)] == [
        ("严", None),
        ("宽", None),
    ]
