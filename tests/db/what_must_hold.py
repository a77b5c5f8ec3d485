"""What must hold of the jobs of a run at any time, given who holds which of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from db.jobs import Claim
from db.owner import Owner
from db.tables import FailureKind, Stage, State

Rows = list[tuple[Stage, Row[Any]]]


@dataclass
class Hold:
    """Who may write the outcome of a job now, and until when at least."""

    claim: Claim
    owner: Owner
    lease_until: float


def mark_of(attempt: int) -> str:
    """Return what an attempt writes as its outcome, so that it is known for its own."""
    return f"{attempt:064d}"


def check_that_every_edit_has_one_row_and_once_it_is_done_one_score_per_scorer(
    rows: Rows, edit_ids: list[int], scorers: int
) -> None:
    edits = {row.id: row.state for stage, row in rows if stage is Stage.EDIT}
    assert sorted(edits) == edit_ids
    score_count = Counter(row.edit_id for stage, row in rows if stage is Stage.SCORE)
    for edit, state in edits.items():
        assert score_count[edit] == (scorers if state == State.DONE else 0)


def check_that_what_runs_is_what_is_held(row: Row[Any], hold: Hold | None) -> None:
    assert (row.state == State.RUNNING) == (hold is not None)
    if hold is not None:
        assert (row.attempt, row.owner) == (hold.claim.attempt, str(hold.owner))
        assert row.lease_until == hold.lease_until


def check_that_the_newest_attempt_wrote_the_outcome(stage: Stage, row: Row[Any]) -> None:
    if row.state == State.DONE:
        assert (row.image if stage is Stage.EDIT else row.detail["by"]) == mark_of(row.attempt)
    if row.failure_kind == FailureKind.STORE:
        assert row.failure_reason == f"attempt {row.attempt}"


def check_that_attempts_stay_within_what_is_allowed(row: Row[Any]) -> None:
    assert row.attempt <= row.attempts_allowed
    assert row.state != State.QUEUED or row.attempt < row.attempts_allowed
