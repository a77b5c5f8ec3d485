"""What the database itself refuses, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Table, UniqueConstraint, insert, update
from sqlalchemy.exc import IntegrityError

from db.ledger import Ledger
from db.tables import JOB_TABLES, Stage, edits, environments, run_scorers, scores
from tests.db.steps import IMAGE, job, queued_edit, queued_scores
from tests.factories import enter

FAILED = {"state": "failed", "failure_kind": "model", "failure_reason": "no number in the reply", "finished_at": 1.0}
DONE = {"state": "done", "attempt": 1, "finished_at": 1.0}
RUNNING = {"state": "running", "attempt": 1, "owner": "host/1|1|1|d-1", "lease_until": 1.0}


def _write(ledger: Ledger, jobs: Table, **values: Any) -> None:
    with ledger.write() as (connection, _):
        connection.execute(update(jobs).values(**values))


def test_what_these_tests_leave_out_is_what_the_database_refuses(ledger: Ledger) -> None:
    queued_scores(ledger)
    _write(ledger, scores, **FAILED)
    _write(ledger, scores, **(RUNNING | {"failure_kind": None, "failure_reason": None, "finished_at": None}))
    _write(ledger, scores, **DONE, value=10.0, owner=None, lease_until=None)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(FAILED | {"value": 0.0}, id="a value on a failed score"),
        pytest.param({"value": 5.0}, id="a value on a score that waits"),
        pytest.param(DONE, id="a done score without a value"),
        pytest.param(DONE | {"value": 5.0, "finished_at": None}, id="a done score without its time"),
        pytest.param(DONE | {"value": 5.0, "attempt": 0}, id="a done score that nobody claimed"),
        pytest.param(DONE | {"value": 100.1}, id="a score above the scale"),
        pytest.param(DONE | {"value": -0.1}, id="a score below the scale"),
        pytest.param(DONE | {"value": float("nan")}, id="a score that is no number"),
        pytest.param(FAILED | {"failure_kind": None}, id="a failed score without a kind"),
        pytest.param(FAILED | {"failure_reason": None}, id="a failed score without a reason"),
        pytest.param({"failure_kind": "model", "failure_reason": "why"}, id="a reason on a score that waits"),
        pytest.param(RUNNING | {"owner": None}, id="a running score without an owner"),
        pytest.param(RUNNING | {"lease_until": None}, id="a running score without a lease"),
        pytest.param({"owner": "host/1|1|1|d-1", "lease_until": 1.0}, id="an owner of a score that waits"),
        pytest.param(RUNNING | {"attempt": 0}, id="a running score that nobody claimed"),
        pytest.param(RUNNING | {"attempt": 4}, id="an attempt more than allowed"),
        pytest.param({"state": "lost"}, id="an unknown state"),
    ],
)
def test_a_score_cannot_be(ledger: Ledger, values: dict[str, Any]) -> None:
    queued_scores(ledger)
    with pytest.raises(IntegrityError):
        _write(ledger, scores, **values)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(DONE, id="a done edit without an image"),
        pytest.param(DONE | {"image": "e" * 63}, id="a done edit with half a digest"),
        pytest.param(FAILED | {"image": IMAGE}, id="an image on a failed edit"),
        pytest.param(FAILED | {"failure_reason": None}, id="a failed edit without a reason"),
        pytest.param(RUNNING | {"owner": None}, id="a running edit without an owner"),
    ],
)
def test_an_edit_cannot_be(ledger: Ledger, values: dict[str, Any]) -> None:
    queued_edit(ledger)
    with pytest.raises(IntegrityError):
        _write(ledger, edits, **values)


def test_an_edit_has_one_score_per_scorer(ledger: Ledger) -> None:
    [score] = queued_scores(ledger)
    row = job(ledger, Stage.SCORE, score)
    with pytest.raises(IntegrityError), ledger.write() as (connection, _):
        _copy(connection, scores, edit_id=row.edit_id, scorer_id=row.scorer_id)


def test_a_sample_has_one_edit_per_run_and_repeat(ledger: Ledger) -> None:
    row = job(ledger, Stage.EDIT, queued_edit(ledger))
    with ledger.write() as (connection, _):
        _copy(connection, edits, run_id=row.run_id, sample_id=row.sample_id, repeat=1)
    with pytest.raises(IntegrityError), ledger.write() as (connection, _):
        _copy(connection, edits, run_id=row.run_id, sample_id=row.sample_id, repeat=0)


def test_a_run_has_one_scorer_of_each_label(ledger: Ledger) -> None:
    run_id = enter(ledger)
    again = insert(run_scorers).values(run_id=run_id, label="simulated", configuration={}, batch_size=1)
    with pytest.raises(IntegrityError), ledger.write() as (connection, _):
        connection.execute(again)


def test_a_score_belongs_to_an_edit_that_exists(ledger: Ledger) -> None:
    row = job(ledger, Stage.SCORE, queued_scores(ledger)[0])
    with pytest.raises(IntegrityError), ledger.write() as (connection, _):
        _copy(connection, scores, edit_id=10**9, scorer_id=row.scorer_id)


def _copy(connection: Connection, jobs: Table, **values: Any) -> None:
    connection.execute(insert(jobs).values(state="queued", not_before=0.0, **values))


def test_both_stages_have_a_table() -> None:
    assert set(JOB_TABLES) == set(Stage)


def test_what_names_a_row_that_may_be_removed_is_found_by_an_index() -> None:
    """Else a database walks through the whole table for each row that goes: 20,000 samples took 40 s of computing."""
    for table in (run_scorers, edits, scores):
        unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        found_by = {one.columns[0].name for one in (*table.indexes, *unique)}
        naming = {key.parent.name for key in table.foreign_keys if key.column.table is not environments}
        assert naming <= found_by
