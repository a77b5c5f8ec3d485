"""Gets this child what it does next: has what is left planned (`workers.stint.planning`), and claims it in the ledger.

A change of seat is decided again, and written, where nobody else changes theirs at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_

from db.choosing import to_come
from db.jobs import Claim, Claimant
from db.ledger import Ledger
from db.outlook import Lookout, Opening, Outlook
from db.owner import Owner, Process, this_process
from db.seats import Seat, one_at_a_time, take_seat
from db.tables import Stage, edits, scores
from db.to_do import has_waiting
from db.twins import is_made_elsewhere
from workers.stint.batch_sizes import BatchSizes
from workers.stint.pace import Pace
from workers.stint.planning import Plan, Planner, is_unsettled

LONGEST_WAIT_SECONDS = 0.25
"""How long a worker without work waits at most before it looks again."""

MANY_WAIT, CROWD_WAIT_SECONDS = 16, 5.0
"""Where more than so many have no work, each waits longer, up to so long: together they look as often as these do."""

LOOKS_SHARE = 0.01
"""Looking at the ledger may take this share of the time; what was seen is used again until then."""


@dataclass(frozen=True)
class Block:
    """Jobs of one model claimed together, in the order in which they are to be done."""

    opening: Opening
    claimant: Claimant
    claims: Sequence[Claim]


@dataclass(frozen=True)
class Said:
    """What else a seat is entered with: the worker's parent process and its GPU."""

    parent: Process
    gpu: str


def rehearse(ledger: Ledger) -> None:
    """Look, and ask for jobs that there are not: what a process compiles once, its first job need not wait for."""
    nobody = Claimant(Owner(this_process(), ""), "")
    with ledger.read() as (connection, now):
        Lookout().rehearse(connection, now)
        ledger.within(connection, now).claim_edits(edits.c.run_id == "", nobody)
        ledger.within(connection, now).claim_scores(scores.c.scorer_id == 0, nobody)


class Supply:
    """One for the life of a pool child; `seat` is where it sits before its first job."""

    def __init__(
        self,
        ledger: Ledger,
        seat: Seat,
        said: Said,
        *,
        pace: Pace,
        sizes: BatchSizes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._seat = seat
        self._entry = said
        self._pace = pace
        self._planner = Planner(pace, sizes)
        self._clock = clock
        self._lookout = Lookout()
        self._seen: Outlook | None = None
        self._seen_until = 0.0
        self._said: Seat | None = None

    @property
    def worker(self) -> str:
        """The name of this worker."""
        return self._seat.name

    def take(self, stages: frozenset[Stage], claimant: Claimant, *, ahead: bool = False) -> Block | None:
        """Claim what this worker should do next of these stages; None when that is nothing.

        `ahead`: it is still at a job. Then it claims only what it would certainly do afterwards: what needs the model
        that is on its GPU, while so much waits that nobody else is left without.
        """
        self._seat = replace(self._seat, stages=stages)
        if is_unsettled(self._seat):
            return None if ahead else self._take_moving(claimant)
        outlook = self._outlook()
        stage = self._planner.stage(outlook, self._seat)
        plan = self._planner.plan(outlook, self._seat, stage, ahead=ahead)
        if stage is not self._seat.stage or (plan is not None and not self._planner.has(plan.opening)):
            return None if ahead else self._take_moving(claimant, plan)
        if plan is None:
            return None
        with self._ledger.together() as ledger, ledger.write() as (connection, now):
            block = self._claim(ledger, plan, claimant, ahead=ahead)
            if block is not None:
                self._say(connection, now, plan.seat)
        if block is None:
            self._seen = None  # others were faster
        return block

    def model_to_come(self) -> Opening | None:
        """Return whose model this worker will need when there is something for it; None when it has that already."""
        if self._seat.stage is None:
            return None
        opening = to_come(self._outlook().at(self._seat.stage))
        return opening if opening is not None and opening.key != self._pace.resident else None

    def has_more_to_come(self, stages: frozenset[Stage]) -> bool:
        """Tell whether anything is open that may yet become a job for this worker."""
        openings = self._outlook().openings
        return any(one.stage in stages and (one.waiting or one.running or one.to_come) for one in openings)

    def longest_wait(self) -> float:
        """Return how many seconds a worker may wait before it looks again, by how many waited so at the last look.

        Those of one stage do not: a message wakes them.
        """
        seats = self._seen.seats if self._seen is not None else ()
        waiting = sum(seat.idle and len(seat.stages) > 1 for seat in seats)
        return min(LONGEST_WAIT_SECONDS * max(1.0, waiting / MANY_WAIT), CROWD_WAIT_SECONDS)

    def is_filling(self, stages: frozenset[Stage]) -> bool:
        """Tell whether the batch that would be judged now may soon be a larger one."""
        self._seat = replace(self._seat, stages=stages)
        if is_unsettled(self._seat):
            return False
        outlook = self._outlook()
        plan = self._planner.plan(outlook, self._seat, self._planner.stage(outlook, self._seat))
        return plan is not None and not plan.full

    def forget(self) -> None:
        """Look anew next time."""
        self._seen = None

    def rest(self) -> None:
        """Say that there is nothing to do."""
        if self._said is not None and not self._said.idle:
            with self._ledger.write() as (connection, now):
                self._say(connection, now, replace(self._seat, idle=True, ready_in=0.0))

    def _outlook(self) -> Outlook:
        if self._seen is None or self._clock() >= self._seen_until:
            started = self._clock()
            with self._ledger.read() as (connection, now):
                self._seen = self._lookout.look(connection, now)
            self._seen_until = self._clock() + (self._clock() - started) / LOOKS_SHARE
        return self._seen

    def _take_moving(self, claimant: Claimant, seen: Plan | None = None) -> Block | None:
        """Change sides, or runs, where others see it before they decide theirs; claim what there is to do there.

        Whoever comes for what it had `seen` and finds it gone has nothing to decide: at the end of a run that is most.
        """
        with one_at_a_time(self._ledger) as (connection, now):
            if seen is not None and not has_waiting(connection, seen.opening.stage, _jobs_of(seen.opening), now):
                self._seen = None
                return None
            outlook = self._lookout.look(connection, now)
            if is_unsettled(self._seat) and not outlook.openings:
                return None  # it takes no seat: with which stage to begin is decided when there is something to do
            stage = self._planner.stage(outlook, self._seat)
            plan = self._planner.plan(outlook, self._seat, stage)
            ledger = self._ledger.within(connection, now)
            block = self._claim(ledger, plan, claimant, ahead=False) if plan is not None else None
            self._say(connection, now, plan.seat if plan is not None else replace(self._seat, stage=stage, idle=True))
        self._seen = None
        return block

    def _claim(self, ledger: Ledger, plan: Plan, claimant: Claimant, *, ahead: bool) -> Block | None:
        opening, which = plan.opening, _jobs_of(plan.opening)
        claim = ledger.claim_edits if opening.stage is Stage.EDIT else ledger.claim_scores
        claims: Sequence[Claim] = claim(which, claimant, plan.limit, ahead=ahead)
        return Block(opening, claimant, claims) if claims else None

    def _say(self, connection: Connection, now: float, seat: Seat) -> None:
        take_seat(connection, now, seat, self._entry.parent, self._entry.gpu)
        self._seat = self._said = seat


def _jobs_of(opening: Opening) -> ColumnElement[bool]:
    """Return the condition for the jobs of an opening that are to be had."""
    if opening.stage is Stage.SCORE:
        return scores.c.scorer_id == opening.scorer_id
    of_run = edits.c.run_id == opening.run_id
    return and_(of_run, ~is_made_elsewhere()) if opening.shared else of_run
