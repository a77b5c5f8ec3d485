"""What reports are made of, row by row, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from db.engine import reading
from db.ledger import Ledger
from db.outcomes import (
    asked_scorers,
    edit_outcomes,
    failures_of,
    last_outcome_at,
    retried_jobs,
    sample_identities,
    score_outcomes,
)
from db.queries import find_run
from db.tables import Stage
from tests.conftest import Clock
from tests.db.steps import FAULT, claimed, claimed_scores, finish_score, job_ids, queued_scores
from tests.factories import enter


def rows(ledger: Ledger, ask: Any, run_id: str) -> list[Any]:
    with reading(ledger.engine) as connection:
        return list(ask(connection, run_id))


def test_every_edit_comes_in_benchmark_order_with_its_category_and_source(ledger: Ledger) -> None:
    run_id = enter(ledger, 2, repeats=2)
    ledger.fail(claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0]), FAULT)

    found = rows(ledger, edit_outcomes, run_id)

    assert [(row.repeat, row.state, row.failure_kind) for row in found] == [
        (0, "failed", "input"),
        (1, "queued", None),
        (0, "queued", None),
        (1, "queued", None),
    ]
    assert [row.sample_id for row in found] == sorted(row.sample_id for row in found)
    assert {(row.category, len(row.source_image), row.retried) for row in found} == {("物理", 64, False)}


@pytest.mark.parametrize(
    ("detail", "criteria"),
    [
        ({"criteria": {"realism": 7.5}, "reasoning": "why"}, {"realism": 7.5}),
        ({"reasoning": "why"}, None),
        (None, None),
    ],
)
def test_a_score_comes_with_its_criteria_and_without_its_reasons(
    ledger: Ledger, detail: dict[str, Any] | None, criteria: dict[str, float] | None
) -> None:
    (score_id,) = queued_scores(ledger)
    finish_score(ledger, claimed_scores(ledger, [score_id])[0], 7.5, seconds=1.0, detail=detail)

    (row,) = rows(ledger, score_outcomes, find_run(ledger.engine, "latest").id)

    assert (row.state, row.value, row.criteria) == ("done", 7.5, criteria)
    assert "reasoning" not in row._fields


def test_scorers_come_in_the_order_they_were_asked_for_one_for_each_repeat(ledger: Ledger) -> None:
    run_id = enter(ledger, scorers=["simulated", {"name": "simulated", "label": "twice", "repeats": 2}])

    found = rows(ledger, asked_scorers, run_id)

    assert [(one.label, one.repeat, one.scale) for one in found] == [
        ("simulated", 0, (0, 10)),
        ("twice", 0, (0, 10)),
        ("twice", 1, (0, 10)),
    ]


def test_failures_of_both_stages_come_with_their_places(ledger: Ledger) -> None:
    run_id = enter(ledger, 2, scorers=["simulated"])
    first, _ = job_ids(ledger, Stage.EDIT, run_id)
    ledger.fail(claimed(ledger, first), FAULT)

    ((stage, row),) = rows(ledger, failures_of, run_id)

    assert (stage, row.key, row.position, row.failure_reason) == (Stage.EDIT, "p-0", 0, "image is empty")


def test_what_was_retried_is_counted_by_stage(ledger: Ledger) -> None:
    run_id = enter(ledger, 3)
    for edit_id in job_ids(ledger, Stage.EDIT, run_id)[:2]:
        ledger.fail(claimed(ledger, edit_id), FAULT)
    ledger.retry(run_id)

    with reading(ledger.engine) as connection:
        assert retried_jobs(connection, run_id) == {Stage.EDIT: 2, Stage.SCORE: 0}


def test_the_last_outcome_is_the_latest_of_both_stages(ledger: Ledger, clock: Clock) -> None:
    run_id = enter(ledger, 2)
    with reading(ledger.engine) as connection:
        assert last_outcome_at(connection, run_id) is None
    ledger.fail(claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0]), FAULT)
    with reading(ledger.engine) as connection:
        assert last_outcome_at(connection, run_id) == pytest.approx(clock.now)


def test_a_sample_is_known_by_its_name_source_and_instruction(ledger: Ledger) -> None:
    run = find_run(ledger.engine, enter(ledger, 2))

    found = rows(ledger, sample_identities, run.benchmark_id)

    assert [(row.category, row.key, row.instruction) for row in found] == [
        ("物理", "p-0", "make it rain"),
        ("物理", "p-1", "make it rain"),
    ]
