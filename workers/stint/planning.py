"""What a worker should do next, by what it has seen: at which stage, with whose model, how many jobs at once.

The rules are the farm's: `db.roles` says who serves which stage, `db.choosing` whose jobs come first. Here they are
asked for one worker, by how fast it is and what is on its GPU.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from db.choosing import choose, to_come
from db.outlook import Opening, Outlook
from db.roles import Place, best_stage, first_stage, worth_beginning
from db.seats import Seat
from db.tables import Stage
from workers.stint.batch_sizes import BatchSizes
from workers.stint.pace import Pace

BLOCK_SECONDS = 0.5
"""So much work is claimed at once: one edit of seconds, or many that take none."""

BLOCK_JOBS = 64
"""More than this is never claimed at once."""


@dataclass(frozen=True)
class Plan:
    """What to claim: how many jobs at which opening, from which seat. `full`: waiting longer would bring no more."""

    opening: Opening
    limit: int
    seat: Seat
    full: bool = True


def is_unsettled(seat: Seat) -> bool:
    """Tell whether who sits there has yet to decide with which stage to begin."""
    return seat.stage is None and len(seat.stages) > 1


class Planner:
    """Plans for the worker that is so fast, and whose memory takes batches of such sizes."""

    def __init__(self, pace: Pace, sizes: BatchSizes) -> None:
        self._pace = pace
        self._sizes = sizes

    def stage(self, outlook: Outlook, seat: Seat) -> Stage:
        """Return which stage to serve from that seat."""
        if len(seat.stages) == 1:
            return next(iter(seat.stages))
        work = outlook.work(self._swap_seconds(outlook, seat))
        if seat.stage is not None:
            return best_stage(self._place(seat, seat.stage), outlook.places(without=seat.name), work)
        others = [one for one in _others(outlook, seat) if is_unsettled(one)]
        unsettled = [Place(Stage.EDIT, one.pace) for one in others]
        settled = outlook.places(without=seat.name, beginning=False)
        return first_stage(self._place(seat, Stage.EDIT), unsettled, settled, work)

    def plan(self, outlook: Outlook, seat: Seat, stage: Stage, *, ahead: bool = False) -> Plan | None:
        """Return what to claim at that stage; None when that is nothing. `ahead`: while it is still at a job."""
        others = _others(outlook, seat)
        opening = choose(outlook.at(stage), seat, others, self._pace.resident)
        if opening is None:
            return None
        crew = 1 + sum(one.stage is stage for one in others)
        limit = self._limit(opening, crew, ahead=ahead)
        if limit == 0 or (stage is Stage.EDIT and not self._is_worth_beginning(outlook, seat)):
            return None
        seconds = self._seconds(opening, limit) + (0.0 if self.has(opening) else opening.timing.load_seconds)
        ready_in = seconds + (self._pace.seconds_left() if ahead else 0.0)
        full = stage is Stage.EDIT or opening.waiting >= opening.batch_size or not opening.to_come
        taken = replace(seat, stage=stage, run_id=opening.run_id, ready_in=ready_in, idle=False)
        return Plan(opening, limit, replace(taken, pace=self._pace.pace), full)

    def has(self, opening: Opening) -> bool:
        """Tell whether no model has to be moved for it."""
        return not opening.fills_gpu or opening.key == self._pace.resident

    def _is_worth_beginning(self, outlook: Outlook, seat: Seat) -> bool:
        work = outlook.work(self._swap_seconds(outlook, seat))
        return worth_beginning(self._place(seat, Stage.EDIT), outlook.places(without=seat.name), work)

    def _place(self, seat: Seat, stage: Stage) -> Place:
        return Place(stage, self._pace.pace, fixed=len(seat.stages) == 1)

    def _swap_seconds(self, outlook: Outlook, seat: Seat) -> float:
        """Return what it would cost this worker to go to the other stage: nothing where no model has to be moved."""
        there = Stage.EDIT if seat.stage is Stage.SCORE else Stage.SCORE
        openings = outlook.at(there)
        aim = choose(openings, seat, _others(outlook, seat), self._pace.resident) or to_come(openings)
        return 0.0 if aim is None or self.has(aim) else aim.timing.load_seconds

    def _seconds(self, opening: Opening, jobs: int) -> float:
        return jobs * opening.timing.seconds / self._pace.pace

    def _limit(self, opening: Opening, crew: int, *, ahead: bool) -> int:
        """Return how many jobs to claim at once: less the nearer the end is, so that no card waits for another.

        Ahead only while there is something for everybody, of edits two.
        """
        unit = 1 if opening.stage is Stage.EDIT else self._sizes.limit(opening.model, opening.batch_size)
        share = opening.waiting // (2 * crew)
        enough = (2 if opening.stage is Stage.EDIT else 1) * crew * unit  # an editor may soon be needed as a scorer
        if ahead and opening.waiting < enough:
            return 0
        seconds = max(self._seconds(opening, unit), 1e-6)
        units = max(1, min(int(BLOCK_SECONDS / seconds), BLOCK_JOBS // unit, share // unit))
        return units * unit


def _others(outlook: Outlook, seat: Seat) -> list[Seat]:
    return [one for one in outlook.seats if one.name != seat.name]
