"""Places that workers may have, and work that is left for them."""

from __future__ import annotations

from typing import Any

from db.roles import Place, Work
from db.tables import Stage

EDITOR = Place(Stage.EDIT)


SCORER = Place(Stage.SCORE)


def work(edits: int = 0, waiting: int = 0, to_come: int = 0, **given: Any) -> Work:
    """Return what is left: edits of 10 s, scores that wait and others to come of 1 s each, in batches of 4; a swap of
    30 s."""
    fields = {
        "edits": edits * 10.0,
        "scores": float(waiting + to_come),
        "edits_waiting": edits,
        "scores_waiting": waiting,
        "edit_seconds": 10.0,
        "batch_seconds": 4.0,
        "batch_size": 4,
        "swap_seconds": 30.0,
    }
    return Work(**{**fields, **given})
