"""How long a run takes, told before it is begun: by the rule by which workers share the stages among themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.roles import Work


@dataclass(frozen=True)
class Plan:
    """What it takes, and how many of the workers begin as editors and as scorers; what one worker more would take."""

    seconds: float
    editors: int
    scorers: int
    seconds_with_one_more: float


def work_of(samples: int, *, edit_seconds: float, score_seconds: float, batch_size: int, swap_seconds: float) -> Work:
    """Return the work of a run that has not begun: `score_seconds` is one score's share of a full batch."""
    from db.roles import Work

    return Work(
        edits=samples * edit_seconds,
        scores=samples * score_seconds,
        edits_waiting=samples,
        scores_waiting=0,
        edit_seconds=edit_seconds,
        batch_seconds=score_seconds * batch_size,
        batch_size=batch_size,
        swap_seconds=swap_seconds,
    )


def plan_for(work: Work, paces: Sequence[float]) -> Plan:
    """Return how workers of these paces, all without a model yet, do the work. Loading counts as long as a swap."""
    seconds, scorers = _end(work, paces)
    with_one_more, _ = _end(work, [*paces, 1.0])
    return Plan(seconds, len(paces) - scorers, scorers, with_one_more)


def _end(work: Work, paces: Sequence[float]) -> tuple[float, int]:
    from dataclasses import replace

    from db.roles import Place, finish, first_scorers
    from db.tables import Stage

    free = [Place(Stage.EDIT, pace) for pace in paces]
    scorers = first_scorers(free, [], work)
    editors = free[: len(free) - scorers]
    settled = [*editors, *(replace(place, stage=Stage.SCORE) for place in free[len(editors) :])]
    return work.swap_seconds + finish(settled, work), scorers


def forecast(engine: Engine) -> float | None:
    """Return in how many seconds all that is left is done by the workers that live, by what their models took lately.

    None where no worker lives, or a model was never seen at work.
    """
    from db.engine import database_clock, reading
    from db.outlook import Lookout

    with reading(engine) as connection:
        outlook = Lookout().look(connection, database_clock(connection))
    load_seconds = max((opening.timing.load_seconds for opening in outlook.openings), default=0.0)
    paces = [seat.pace for seat in outlook.seats]
    measured = all(opening.timing.measured for opening in outlook.openings)
    return plan_for(outlook.work(load_seconds), paces).seconds if paces and measured else None
