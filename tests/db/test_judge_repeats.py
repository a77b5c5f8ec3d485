"""A scorer that judges each edit several times: as many scores, one model, each with a seed of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from db.choosing import choose
from db.engine import transaction
from db.images import FolderStore
from db.ledger import Ledger
from db.outlook import Lookout
from db.queries import find_run, progress_of, scores_given
from db.seats import Seat
from db.seeds import judge_seed
from db.tables import Stage, scores
from db.upkeep.finding import Inspection
from db.upkeep.jobs import missing_scores
from tests.db.steps import claimed_scores, finish_score, queued_scores, score_outcomes, scorer_labels
from tests.factories import configuration, enter

THRICE = {"name": "simulated", "label": "judge", "repeats": 3}
API = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:8000/v1", "repeats": 2}


def test_each_edit_has_a_score_for_each_time_that_a_scorer_judges(ledger: Ledger) -> None:
    queued_scores(ledger, 2, scorers=[THRICE, "reference"])
    run_id = find_run(ledger.engine, "latest").id

    found = score_outcomes(ledger.engine, run_id)

    of_one = [("judge", 0), ("judge", 1), ("judge", 2), ("reference", 0)]
    assert sorted((row.label, row.judge_repeat) for row in found) == sorted(of_one * 2)
    assert len({row.edit_id for row in found}) == 2
    assert progress_of(ledger.engine, run_id).scores_asked == 8


def test_a_label_is_listed_once_however_often_it_judges(ledger: Ledger) -> None:
    assert scorer_labels(ledger.engine, enter(ledger, scorers=[THRICE, "reference"])) == ["judge", "reference"]


def test_the_repeats_of_a_judge_have_one_model_and_a_seed_each(ledger: Ledger) -> None:
    score_ids = queued_scores(ledger, scorers=[THRICE], seed=5)

    claims = [claim for score_id in score_ids for claim in claimed_scores(ledger, [score_id])]

    assert [claim.model for claim in claims] == [claims[0].model] * 3
    assert [claim.seed for claim in claims] == [judge_seed(5, "p-0", 0, repeat) for repeat in range(3)]


def test_another_repeat_of_the_judge_on_the_gpu_is_no_swap(ledger: Ledger) -> None:
    queued_scores(ledger, scorers=["simulated", {**THRICE, "seed": 1}])
    with ledger.read() as (connection, now):
        openings = Lookout().look(connection, now).at(Stage.SCORE)
    other, *repeats = openings
    me = Seat("me", frozenset(Stage), Stage.SCORE, other.run_id)

    assert len({opening.key for opening in repeats}) == 1
    assert choose([other, repeats[2]], me, [], resident=repeats[0].key) is repeats[2]


def test_a_score_says_which_time_it_is_as_it_comes_in(ledger: Ledger) -> None:
    *_, third = queued_scores(ledger, scorers=[THRICE])
    finish_score(ledger, claimed_scores(ledger, [third])[0], 7.5, seconds=1.0)

    (given,) = scores_given(ledger.engine, find_run(ledger.engine, "latest").id, 0)

    assert (given.scorer, given.judge_repeat, given.value) == ("judge", 2, 7.5)


def test_a_judgement_that_is_missing_is_found_and_queued(ledger: Ledger, images: FolderStore) -> None:
    score_ids = queued_scores(ledger, scorers=[THRICE])
    with transaction(ledger.engine) as connection:
        connection.execute(delete(scores).where(scores.c.id == score_ids[1]))

    (finding,) = missing_scores(Inspection(ledger, images))

    assert finding.what == "no score by judge, judge repeat 1"
    assert list(missing_scores(Inspection(ledger, images))) == []


@pytest.mark.parametrize(
    ("scorer", "alike"),
    [
        (API, True),
        ({**API, "temperature": 0.7}, False),
        ({**API, "repeats": 1}, False),
        ({"name": "qwen3-vl-8b", "repeats": 2, "temperature": 0.7, "mode": "expected"}, True),
        ({"name": "psnr", "repeats": 2}, True),
        (THRICE, False),
    ],
    ids=str,
)
def test_repeats_that_would_all_say_the_same_are_known(scorer: dict[str, object], alike: bool) -> None:
    assert bool(configuration(scorers=[scorer]).judged_alike()) is alike
