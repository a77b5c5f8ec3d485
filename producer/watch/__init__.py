"""Live progress of a run: bars by stage from the ledger, one row per worker with what it says it is at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from rich.console import Console
from rich.live import Live
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.errors import first_line, one_line
from db.presence import Present, present_workers
from db.queries import Progress, Run, progress_of, working
from producer.activity import Listener
from producer.standing.rows import rows_of
from producer.watch.bars import Bars
from producer.watch.given import Scores
from producer.watch.lines import Lines
from producer.watch.look import Look
from producer.watch.pace import Pace

LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.5, 5.0
"""How often the ledger is asked, and how often at least."""

LOOK_SHARE = 0.05
"""Of the time so much goes into looks: one costs more where there are more jobs to count."""

Check = Callable[[Sequence[Present]], None]
"""Looks at what else could end a watch."""

PATIENCE_SECONDS = 3600
"""How long a database that does not answer is waited for: a run goes on by itself when it is back."""


def watch(
    engine: Engine, run: Run, console: Console, *, check: Check = lambda _present: None, verbose: bool = False
) -> Progress:
    """Show the run's progress until no job of it waits or runs; return where it then stands.

    `check` is called at each look with the workers that were there when the database last answered; what it raises ends
    the watch. In a pipe, lines once a minute replace the bars. `verbose` writes every score as it comes in, with the
    beginning of the judge's reasons.
    """
    view = Bars(run) if console.is_terminal else Lines(run, console)
    live = Live(view, console=console, refresh_per_second=8) if isinstance(view, Bars) else nullcontext()
    scores = Scores(engine, run, console) if verbose else None
    with Listener() as listener, live:
        eyes = _Eyes(engine, run, listener)
        answered_at, silent = time.monotonic(), False
        while True:
            try:
                look = eyes.look()
                if scores is not None:
                    scores.show()
            except OperationalError as error:
                if time.monotonic() - answered_at > PATIENCE_SECONDS:
                    raise
                if not silent:
                    _say_silent(console, error)
                silent = True
            else:
                answered_at, silent = time.monotonic(), False
                view.show(look)
                if look.progress.finished:
                    return look.progress
            check(eyes.present)
            time.sleep(max(LOOK_SECONDS, min(eyes.took_seconds / LOOK_SHARE, LONGEST_LOOK_SECONDS)))


class _Eyes:
    """Looks at one run; remembers the workers that were there when the database last answered."""

    def __init__(self, engine: Engine, run: Run, listener: Listener) -> None:
        self._engine, self._run, self._listener = engine, run, listener
        self._pace = Pace(engine, run.id)
        self.present: Sequence[Present] = ()
        self.took_seconds = 0.0

    def look(self) -> Look:
        """Return what there is to be seen. Raises OperationalError."""
        began = time.monotonic()
        progress, workers = progress_of(self._engine, self._run.id), working(self._engine, self._run.id)
        self.present = present_workers(self._engine)
        self.took_seconds = time.monotonic() - began
        lately = self._pace.look(anew=progress.finished)
        rows = rows_of(self._run.id, workers, self.present, lately, self._listener.of)
        return Look(progress, lately, [] if progress.finished else rows)


def _say_silent(console: Console, error: OperationalError) -> None:
    reason = one_line(first_line(error.orig or error))
    console.print(f"the database does not answer ({reason}); waiting for it", highlight=False, markup=False)
