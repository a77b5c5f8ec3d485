"""How deep the ledger is: its jobs counted by stage and state."""

from __future__ import annotations

from db.depth import jobs_in
from db.ledger import Ledger
from db.tables import Stage, State
from tests.db.steps import claimed, job_ids
from tests.db.test_plans import plan_of, plans_by_form
from tests.factories import enter


def test_the_depth_counts_every_state_that_is_asked_for(ledger: Ledger) -> None:
    first, *_ = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    claimed(ledger, first)

    counts = jobs_in(ledger.engine, State.QUEUED, State.RUNNING, State.FAILED)

    assert {state: counts[Stage.EDIT, state] for state in State if (Stage.EDIT, state) in counts} == {
        State.QUEUED: 2,
        State.RUNNING: 1,
        State.FAILED: 0,
    }
    assert counts[Stage.SCORE, State.QUEUED] == 0


def test_the_depth_is_counted_by_an_index(ledger: Ledger) -> None:
    plan = plan_of(ledger, lambda: jobs_in(ledger.engine, State.QUEUED))

    if plans_by_form(ledger):
        assert "SEARCH edits USING COVERING INDEX ix_edits_state_published_at (state=?)" in plan
        assert "SEARCH scores USING COVERING INDEX ix_scores_state_published_at (state=?)" in plan
