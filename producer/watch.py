"""Live progress of a run, drawn from the ledger: bars per stage and one row per working worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.queries import Counts, Run, Worker, progress_of, working
from db.queries import Progress as RunProgress
from db.tables import State

LOOK_SECONDS = 0.5
"""How often the ledger is asked."""

PATIENCE_SECONDS = 60
"""How long a database that does not answer is waited for."""

LINE_SECONDS = 60
"""How often a line is written where there is no terminal."""

WORKERS_SHOWN = 16


def watch(engine: Engine, run: Run, console: Console, *, check: Callable[[], None] = lambda: None) -> RunProgress:
    """Show the run's progress until no job of it waits or runs; return where it then stands.

    `check` is called at each look; what it raises ends the watch. In a pipe, a line a minute takes the place of bars.
    """
    view = _Bars(run) if console.is_terminal else _Lines(run, console)
    with Live(view, console=console, refresh_per_second=8) if isinstance(view, _Bars) else nullcontext():
        answered_at = time.monotonic()
        while True:
            try:
                progress, workers = progress_of(engine, run.id), working(engine, run.id)
            except OperationalError:
                if time.monotonic() - answered_at > PATIENCE_SECONDS:
                    raise
            else:
                answered_at = time.monotonic()
                view.show(progress, workers)
                if progress.finished:
                    return progress
            check()
            time.sleep(LOOK_SECONDS)


def line_of(run: Run, progress: RunProgress) -> str:
    """Return the progress as one line of text."""
    edits, scores = progress.edits, progress.scores
    failed = edits[State.FAILED] + scores[State.FAILED]
    return (
        f"run {run.id}: edits {edits.ended:,}/{edits.total:,}, scores {scores.ended:,}/{progress.scores_asked:,}"
        f", failed {failed:,}"
    )


class _Bars:
    """What a terminal shows."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bars = Progress(
            TextColumn("{task.description:6}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}", style="red"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._edits = self._bars.add_task("edits", total=None, failed="")
        self._scores = self._bars.add_task("scores", total=None, failed="")
        self._workers: list[Worker] = []

    def show(self, progress: RunProgress, workers: list[Worker]) -> None:
        self._update(self._edits, progress.edits, progress.edits.total)
        self._update(self._scores, progress.scores, progress.scores_asked)
        self._workers = workers

    def _update(self, bar: TaskID, counts: Counts, total: int) -> None:
        failed = f"{counts[State.FAILED]:,} failed" if counts[State.FAILED] else ""
        self._bars.update(bar, completed=counts.ended, total=total, failed=failed)

    def __rich__(self) -> RenderableType:
        title = Text(f"run {self._run.id}  {self._run.benchmark_name}", style="bold")
        return Group(title, self._bars, self._worker_rows())

    def _worker_rows(self) -> Table:
        table = Table.grid(padding=(0, 2))
        if not self._workers and not self._bars.finished:
            table.add_row(Text("no worker is at it yet", style="dim"))
        now = time.time()
        for worker in self._workers[:WORKERS_SHOWN]:
            what = worker.keys[0] if len(worker.keys) == 1 else f"{len(worker.keys)} samples"
            seconds = max(0, now - worker.since)
            table.add_row(Text(worker.name, style="dim"), worker.stage.value, Text(what), f"{seconds:.0f} s")
        if len(self._workers) > WORKERS_SHOWN:
            table.add_row(f"and {len(self._workers) - WORKERS_SHOWN} more")
        return table


class _Lines:
    """What a pipe or a log gets."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run = run
        self._console = console
        self._next = 0.0

    def show(self, progress: RunProgress, _workers: list[Worker]) -> None:
        now = time.monotonic()
        if now >= self._next or progress.finished:
            self._next = now + LINE_SECONDS
            self._console.print(line_of(self._run, progress), highlight=False, soft_wrap=True)
