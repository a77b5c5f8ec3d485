"""A watch over a run made by hand, ended by what a test does at each look."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console

from db.lately import Finished, Lately
from db.ledger import Ledger
from db.presence import Present
from db.queries import Run, find_run, progress_of
from db.tables import Stage
from producer.watch import Check, watch
from producer.watch.look import Look
from tests.producer.by_hand import RunByHand


def found(run: RunByHand) -> Run:
    return find_run(run.ledger.engine, run.id)


def watched(run: RunByHand, check: Check = lambda _present: None, *, terminal: bool = False) -> str:
    """Watch the run to its end and return what was shown."""
    file = io.StringIO()
    console = Console(width=100, file=file, force_terminal=terminal)
    assert watch(run.ledger.engine, found(run), console, check=check).finished
    return file.getvalue()


class Steps:
    """A check that does one step at each look."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self._steps = iter(steps)
        self.looks = 0

    def __call__(self, present: Sequence[Present]) -> None:
        self.present = present
        self.looks += 1
        next(self._steps)()


def idle() -> None:
    pass


def worked_off(ledger: Ledger) -> RunByHand:
    """Return a finished run with one failed edit and one failed score."""
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c")
    run.score("a", "严", 6)
    run.score("a", "宽", 6)
    run.score("b", "严", 6)
    run.fail_score("b", "宽")
    return run


def moving(run: RunByHand, **given: Any) -> Look:
    """Return what a look sees when 10 edits ended in the last 100 seconds."""
    finished = [Finished("edit-gpu2@host", Stage.EDIT, 10, began_at=0.0, ended_at=100.0)]
    look = Look(progress_of(run.ledger.engine, run.id), Lately(100.0, finished, unparsed=0), rows=())
    return replace(look, **given)
