"""How the databases carry out what workers ask with every job: by indexes, however much waits or is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from db.engine import reading
from db.intake import MANY
from db.ledger import Ledger
from db.outlook import Lookout
from db.tables import OPEN_STATES, State, edits, scores
from db.to_do import waiting_edits, waiting_scores
from tests.factories import enter

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@pytest.fixture
def run_id(ledger: Ledger) -> str:
    return enter(ledger, MANY)


def plan_of(ledger: Ledger, call: Callable[[], object]) -> str:
    """Return how the database would carry out all that the call asks."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(ledger.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(ledger.engine, "before_cursor_execute", note)
    explain = EXPLAIN[ledger.engine.dialect.name]
    with reading(ledger.engine) as connection:
        plans = [
            connection.exec_driver_sql(f"{explain} {statement}", parameters)
            for statement, parameters in asked
            if statement.startswith("SELECT")
        ]
        return "\n".join(str(row[-1]) for plan in plans for row in plan)


def plans_by_form(ledger: Ledger) -> bool:
    """Tell whether plans do not depend on how much there is: a table without rows PostgreSQL may well read whole."""
    return ledger.engine.dialect.name == "sqlite"


def test_what_is_open_and_what_waits_behind_a_back_off_is_found_by_indexes(ledger: Ledger, run_id: str) -> None:
    def look() -> None:
        with ledger.read() as (connection, now):
            assert Lookout().look(connection, now).openings

    plan = plan_of(ledger, look)
    assert "ix_edits_run_id_state_id" in plan
    assert "ix_edits_run_id_state_not_before" in plan
    if plans_by_form(ledger):
        assert "ix_scores_scorer_id_state_id" in plan
        assert "ix_scores_scorer_id_state_not_before" in plan


def test_the_next_jobs_are_found_by_indexes(ledger: Ledger, run_id: str) -> None:
    def ask_edits() -> None:
        with ledger.read() as (connection, now):
            assert connection.execute(waiting_edits(edits.c.run_id == run_id, now).limit(3)).all()

    def ask_scores() -> None:
        with ledger.read() as (connection, now):
            connection.execute(waiting_scores(scores.c.scorer_id == 1, now).limit(3))

    plan = plan_of(ledger, ask_edits)
    assert "ix_edits_run_id_state_id" in plan
    assert "sort" not in plan.lower()
    assert "temp b-tree" not in plan.lower()
    if plans_by_form(ledger):
        assert "ix_scores_scorer_id_state_id" in plan_of(ledger, ask_scores)


def test_no_other_state_comes_between_those_that_are_open() -> None:
    first, last = OPEN_STATES
    assert [state for state in State if first <= state <= last] == list(OPEN_STATES)


def test_postgresql_counts_the_edits_of_a_large_run_at_once(ledger: Ledger, run_id: str) -> None:
    if plans_by_form(ledger):
        pytest.skip("SQLite plans without counting")
    with reading(ledger.engine) as connection:
        assert connection.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'edits'")) == MANY
