"""The ledger's time, and what a clock that was set back has left in it."""

from __future__ import annotations

from sqlalchemy import and_, update

from db.ledger.transactions import Transactions
from db.tables import JOB_TABLES, OPEN_STATES
from db.to_do import in_order
from db.transitions import LONGEST_BACK_OFF_SECONDS

CLOCK_SLACK_SECONDS = 5
"""What the database's clock may run back by before anything is made of it."""


class Times(Transactions):
    """Times are by the database's clock, in seconds since the epoch."""

    def now(self) -> float:
        """Return the time."""
        with self.read() as (_, now):
            return now

    def settle_clock(self) -> int:
        """Bring every time that lies further ahead than it can back to what it can be; return how many jobs that were.

        A database whose clock was set back would otherwise leave jobs waiting, and the dead their leases, until it has
        caught up.
        """
        settled = 0
        with self.write() as (connection, now):
            for jobs in JOB_TABLES.values():
                for column, latest, then in (
                    (jobs.c.not_before, now + LONGEST_BACK_OFF_SECONDS, now),
                    (jobs.c.lease_until, now + self.lease_seconds, now + self.lease_seconds),
                    (jobs.c.published_at, now, None),
                ):
                    open_jobs = and_(jobs.c.state.in_(OPEN_STATES), column > latest + CLOCK_SLACK_SECONDS)
                    ahead = update(jobs).where(in_order(jobs, open_jobs))
                    settled += connection.execute(ahead.values({column: then})).rowcount
        return settled
