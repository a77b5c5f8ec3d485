"""Handed back: a claim ends without an outcome of its own, and its job waits again or has had its last attempt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select

from db.jobs import Claim, HandedBack
from db.ledger.ending import give_up
from db.ledger.transactions import Transactions
from db.owner import Process
from db.tables import JOB_TABLES, Stage, State
from db.to_do import whose
from db.transitions import Loss, held_by, queue_again, released, running, still_mine, why_lost


class HandingBack(Transactions):
    """From `running` to `queued`, or to `failed` where the attempts are used up."""

    def release(self, process: Process) -> int:
        """Hand back what a process holds that is ending by intention: its attempts are not counted."""
        with self._handing_back() as back:
            for stage, row in _held(back.connection, process):
                jobs = JOB_TABLES[stage]
                its = (jobs.c.id == row.id, jobs.c.attempt == row.attempt)
                back.connection.execute(released(jobs, back.now).where(*its))
                back.losses[stage, row.id] = Loss("its worker ends")
            return len(back.losses)

    def release_unbegun(self, claims: Sequence[Claim]) -> None:
        """Hand back claims of which nothing came, because nobody began them: their attempts are not counted."""
        with self._handing_back() as back:
            for claim in claims:
                jobs = JOB_TABLES[claim.stage]
                if back.connection.execute(released(jobs, back.now).where(still_mine(jobs, claim))).rowcount:
                    back.losses[claim.stage, claim.job_id] = Loss("it was not begun")

    def hand_back(self, process: Process, last_words: str) -> int:
        """Hand back what a process holds that ended in the middle of it; its attempts count. Return how many."""
        with self._handing_back() as back:
            for stage, row in _held(back.connection, process):
                back.lose(stage, row, Loss(last_words))
            return len(back.losses)

    def hand_back_lost(self, *, judge_leases: bool = True) -> int:
        """Hand back what nobody works on any more: leases that ran out, owners of this host that died.

        A dead process whose parent lives is left to it: the parent knows how its child ended. `judge_leases` is False
        for someone who cannot trust the clock yet.
        """
        with self.read() as (connection, now):  # mostly there is nothing to do, and no reason to lock anything
            until = now if judge_leases else 0
            found = {
                stage: [row.id for row, _ in _lost(connection, running(jobs), until)]
                for stage, jobs in JOB_TABLES.items()
            }
        return sum(self._hand_back_all(stage, job_ids, judge_leases) for stage, job_ids in found.items() if job_ids)

    def _hand_back_all(self, stage: Stage, job_ids: Sequence[int], judge_leases: bool) -> int:
        jobs = JOB_TABLES[stage]
        with self._handing_back() as back:
            still = running(jobs).where(jobs.c.id.in_(job_ids)).with_for_update(skip_locked=True)
            for row, loss in list(_lost(back.connection, still, back.now if judge_leases else 0)):
                back.lose(stage, row, loss)
            return len(back.losses)

    @contextmanager
    def _handing_back(self) -> Iterator[_Back]:
        """Open a transaction that will write; once it is committed, whoever listens is told what was lost in it."""
        told: list[HandedBack] = []
        with self.write() as (connection, now):
            back = _Back(connection, now, {})
            yield back
            if self.on_handed_back is not None:
                told += back.told()
        if told and self.on_handed_back is not None:
            self.on_handed_back(told)


@dataclass(frozen=True)
class _Back:
    """A transaction, the time it happens at, and which claims ended in it, each with why."""

    connection: Connection
    now: float
    losses: dict[tuple[Stage, int], Loss]

    def lose(self, stage: Stage, row: Row[Any], loss: Loss) -> None:
        """Hand back a job that somebody was at: its attempt counts."""
        jobs = JOB_TABLES[stage]
        if not give_up(self.connection, jobs, row, loss.reason, self.now):
            again = queue_again(jobs, self.now).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
            self.connection.execute(again.values(last_words=loss.reason))
        self.losses[stage, row.id] = loss

    def told(self) -> Iterator[HandedBack]:
        """Yield what the jobs of these claims have become."""
        for stage in JOB_TABLES:
            ids = [job_id for of, job_id in self.losses if of is stage]
            for row in self.connection.execute(whose(stage, ids)) if ids else ():
                loss = self.losses[stage, row.id]
                about = (stage, row.id, row.attempt, row.run_id, row.key, State(row.state))
                yield HandedBack(*about, loss.reason, loss.lease_expired)


def _held(connection: Connection, process: Process) -> list[tuple[Stage, Row[Any]]]:
    return [(stage, row) for stage, jobs in JOB_TABLES.items() for row in connection.execute(held_by(jobs, process))]


def _lost(connection: Connection, claimed: Select[Any], now: float) -> Iterator[tuple[Row[Any], Loss]]:
    """Yield those of these jobs that nobody works on any more, and why; each process is looked for once."""
    is_dead = cache(Process.is_dead)
    for row in connection.execute(claimed).all():
        loss = why_lost(row, now, is_dead)
        if loss is not None:
            yield row, loss
