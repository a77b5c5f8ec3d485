"""Whose jobs a worker takes next: a pure function of what waits, who is where, and what is on its GPU.

Higher priority goes first. Runs of one priority share the workers evenly; a model that is on the GPU stays there as
long as that is fair, and nobody swaps models for less work than the swap costs.
"""

from __future__ import annotations

from collections.abc import Sequence

from db.outlook import Opening
from db.seats import Seat
from db.tables import Stage


def choose(openings: Sequence[Opening], me: Seat, others: Sequence[Seat], resident: str | None) -> Opening | None:
    """Return one of these openings of one stage; None where nothing waits.

    `resident` is the key of the model on the GPU.
    """
    waiting = [opening for opening in openings if opening.waiting]
    if not waiting:
        return None
    first = min(opening.rank for opening in waiting)
    rivals = [opening for opening in waiting if opening.rank == first]
    if rivals[0].stage is Stage.SCORE:
        return min(rivals, key=lambda opening: _cost_of_scores(opening, resident))
    return _fair_edits(rivals, me, others, resident)


def to_come(openings: Sequence[Opening]) -> Opening | None:
    """Return which of these will have jobs, of those whose model fills the GPU: the most urgent, of the oldest run."""
    later = [opening for opening in openings if opening.fills_gpu and (opening.waiting or opening.to_come)]
    return min(later, key=lambda opening: (opening.rank, opening.created_at), default=None)


def _cost_of_scores(opening: Opening, resident: str | None) -> tuple[bool, bool, float, int]:
    """Order scores: without a swap, in a full batch, of the oldest run, as the scorers were asked for."""
    swaps = opening.fills_gpu and opening.key != resident
    return swaps, opening.waiting < opening.batch_size, opening.created_at, opening.scorer_id or 0


def _fair_edits(rivals: Sequence[Opening], me: Seat, others: Sequence[Seat], resident: str | None) -> Opening:
    def crew(opening: Opening) -> int:
        return sum(seat.run_id == opening.run_id and seat.stage is Stage.EDIT for seat in others)

    def order(opening: Opening) -> tuple[int, bool, float]:
        return crew(opening), opening.run_id == me.run_id, opening.created_at

    fewest = min(rivals, key=order)
    at_hand = [opening for opening in rivals if opening.key == resident or not opening.fills_gpu]
    if not at_hand:
        return fewest
    mine = min(at_hand, key=order)
    pays = fewest.waiting * fewest.timing.seconds > fewest.timing.load_seconds
    fairer = crew(mine) - crew(fewest) >= 1  # with me there they are two apart
    return fewest if fairer and pays else mine
