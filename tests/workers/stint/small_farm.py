"""Small farms on a real ledger, every decision of which can be foretold: workers without Celery and GPU."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import select, update

from db.ledger import Ledger
from db.outlook import Lookout, Opening
from db.owner import Process
from db.seats import Seat, living_seats, take_seat
from db.tables import Stage, edits, scores, workers
from db.timings import remember
from tests.db.steps import IMAGE, claimant, claimed, finish_edit, finish_score, job_ids, owner
from workers.stint.batch_sizes import BatchSizes
from workers.stint.pace import Pace
from workers.stint.supply import Block, Said, Supply

BOTH = frozenset(Stage)
EDIT, SCORE = frozenset({Stage.EDIT}), frozenset({Stage.SCORE})
PARENT = Process("host/1", 7, "100")


class Worker:
    """A pool child without Celery and GPU: it takes jobs, has their model, and ends them when the test says so."""

    def __init__(self, ledger: Ledger, name: str = "w", stages: frozenset[Stage] = BOTH) -> None:
        self.ledger = ledger
        self.stages = stages
        self.name = name
        self.pace, self.sizes = Pace(), BatchSizes()
        self._ticks = itertools.count()
        self.supply = Supply(
            ledger,
            Seat(name, frozenset()),
            Said(PARENT, ""),
            pace=self.pace,
            sizes=self.sizes,
            clock=lambda: float(next(self._ticks)),  # a look never costs so little that it would be used again
        )

    def take(self, *, ahead: bool = False) -> Block | None:
        self.supply.forget()
        return self.supply.take(self.stages, claimant(owner(number_of(self.name)), self.name), ahead=ahead)

    def takes(self, *, ahead: bool = False) -> Block:
        """Take what there is, and have its model from then on."""
        block = self.take(ahead=ahead)
        assert block is not None
        if block.opening.fills_gpu:
            self.pace.resident = block.opening.key
        return block

    def ends(self, block: Block) -> None:
        for claim in block.claims:
            if block.opening.stage is Stage.EDIT:
                assert finish_edit(self.ledger, claim, IMAGE, seconds=1.0) is not None  # type: ignore[arg-type]
            else:
                assert finish_score(self.ledger, claim, 5.0, seconds=1.0)  # type: ignore[arg-type]

    @property
    def seat(self) -> Seat:
        """Where others see it."""
        with self.ledger.read() as (connection, now):
            (mine,) = [seat for seat in living_seats(connection, now) if seat.name == self.name]
        return mine


def number_of(name: str) -> int:
    return 100 + ord(name)


def openings(ledger: Ledger) -> list[Opening]:
    with ledger.read() as (connection, now):
        return list(Lookout().look(connection, now).openings)


def taking(ledger: Ledger, *, edit: float = 10.0, score: float = 1.0, load: float = 30.0) -> None:
    """Let it be known what the models of all runs take."""
    for opening in openings(ledger):
        with ledger.write() as (connection, now):
            seconds = edit if opening.stage is Stage.EDIT else score
            remember(connection, now, opening.key, [seconds], load if opening.fills_gpu else 0.0)


def seated(ledger: Ledger, name: str, stage: Stage, **given: Any) -> None:
    """Another worker sits there."""
    with ledger.write() as (connection, now):
        take_seat(connection, now, Seat(name, BOTH, stage, **given), PARENT, "")


def make_all_edits(ledger: Ledger, run_id: str) -> None:
    for edit in job_ids(ledger, Stage.EDIT, run_id):
        finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=1.0)


def heard_of(ledger: Ledger, now: float) -> None:
    """Every worker's parent has just said that it lives."""
    with ledger.write() as (connection, _):
        connection.execute(update(workers).values(seen_at=now))


def states(ledger: Ledger, stage: Stage) -> dict[str, int]:
    jobs = edits if stage is Stage.EDIT else scores
    with ledger.read() as (connection, _):
        found = list(connection.scalars(select(jobs.c.state)))
    return {state: found.count(state) for state in set(found)}
