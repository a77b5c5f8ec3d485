"""Claimed: a worker takes jobs that wait, and goes on holding them."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, select, update

from db.engine import reading
from db.jobs import Claimant, EditClaim, ScoreClaim
from db.ledger.ending import give_up
from db.ledger.transactions import Transactions
from db.owner import Owner, Process
from db.tables import JOB_TABLES, edits, scores
from db.to_do import waiting_edits, waiting_scores
from db.transitions import claimed_by, held_as, held_by

NO_TRACE = "no trace was left"
"""The last words of a job that has none."""


class Claiming(Transactions):
    """From `queued` to `running`: an attempt more, an owner, a lease."""

    def claim_edits(
        self, which: ColumnElement[bool], claimant: Claimant, limit: int = 1, *, ahead: bool = False
    ) -> list[EditClaim]:
        """Claim the first of these edits that wait, `limit` at most; empty when there is nothing to do.

        One that ended without an outcome before is claimed alone, and not `ahead`, while something else is under way:
        should it kill its process again, it takes no other down, nor any other it.
        """
        with self.write() as (connection, now):
            first = waiting_edits(which, now).limit(limit)
            claimed = self._claim_first(connection, edits, first, claimant, now, ahead=ahead)
            return [self._claims.of_edit(connection, row) for row in claimed]

    def claim_scores(
        self, which: ColumnElement[bool], claimant: Claimant, limit: int = 1, *, ahead: bool = False
    ) -> list[ScoreClaim]:
        """Claim the first of these scores that wait, likewise."""
        with self.write() as (connection, now):
            first = waiting_scores(which, now).limit(limit)
            claimed = self._claim_first(connection, scores, first, claimant, now, ahead=ahead)
            return [self._claims.of_score(connection, row) for row in claimed]

    def renew(self, process: Process) -> int:
        """Prolong the leases of everything this process holds; return how many claims that are."""
        renewed = 0
        with self.write() as (connection, now):
            for jobs in JOB_TABLES.values():
                held = connection.scalars(held_by(jobs, process).with_only_columns(jobs.c.id)).all()
                prolonged = update(jobs).where(jobs.c.id.in_(held)).values(lease_until=now + self.lease_seconds)
                renewed += connection.execute(prolonged).rowcount if held else 0
        return renewed

    def holds(self, owner: Owner) -> bool:
        """Tell whether any claim of this owner still counts."""
        with reading(self.engine) as connection:
            return any(
                connection.scalar(select(jobs.c.id).where(held_as(jobs, owner)).limit(1)) is not None
                for jobs in JOB_TABLES.values()
            )

    def _claim_first(
        self, connection: Connection, jobs: Table, first: Select[Any], claimant: Claimant, now: float, *, ahead: bool
    ) -> list[Row[Any]]:
        """Claim those of the first that wait which may be claimed together; return their rows as they were before."""
        waiting = connection.execute(first).all()
        usable = [row for row in waiting if not give_up(connection, jobs, row, row.last_words or NO_TRACE, now)]
        together = list(takewhile(lambda row: row.last_words is None, usable))
        claimed = together or ([] if ahead else usable[:1])
        if claimed:
            claim = claimed_by(jobs, claimant, now, self.lease_seconds)
            connection.execute(claim.where(jobs.c.id.in_([row.id for row in claimed])))
        return claimed
