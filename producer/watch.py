"""Live progress of a run: bars per stage from the ledger, one row per working GPU with what it says it is at."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

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

from db.activity import Activity
from db.categories import with_alias
from db.errors import first_line
from db.presence import Present, present_workers, sick_workers
from db.queries import Counts, GivenScore, Run, Worker, progress_of, scores_given, working
from db.queries import Progress as RunProgress
from db.tables import State
from producer.activity import Listener

LOOK_SECONDS = 0.5
"""How often the ledger is asked."""

Check = Callable[[Sequence[Present]], None]
"""Looks at what else could end a watch."""

PATIENCE_SECONDS = 3600
"""How long a database that does not answer is waited for: a run goes on by itself when it is back."""

LINE_SECONDS = 60
"""How often a line is written where there is no terminal."""

OVERLAP_SECONDS = 30.0

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # line breaks, and what a terminal would obey

LONGEST_REASON = 120
"""Characters that are shown of why a GPU is sick; `status` says the rest."""

WORKERS_SHOWN = 16


def watch(
    engine: Engine, run: Run, console: Console, *, check: Check = lambda _present: None, verbose: bool = False
) -> RunProgress:
    """Show the run's progress until no job of it waits or runs; return where it then stands.

    `check` is called at each look with the workers that were there when the database last answered; what it raises ends
    the watch. In a pipe, lines once a minute replace the bars. `verbose` writes every score as it comes in, with the
    beginning of the judge's reasons.
    """
    view = _Bars(run) if console.is_terminal else _Lines(run, console)
    live = Live(view, console=console, refresh_per_second=8) if isinstance(view, _Bars) else nullcontext()
    scores = _Scores(engine, run, console) if verbose else None
    with Listener() as listener, live:
        answered_at, silent = time.monotonic(), False
        present: Sequence[Present] = ()
        while True:
            try:
                progress, workers = progress_of(engine, run.id), working(engine, run.id)
                present = present_workers(engine)
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
                rows = [_Row.of(worker, listener.of(worker.name)) for worker in workers]
                view.show(progress, rows + [_Row.of_sick(worker) for worker in sick_workers(present)])
                if progress.finished:
                    return progress
            check(present)
            time.sleep(LOOK_SECONDS)


def _say_silent(console: Console, error: OperationalError) -> None:
    reason = _CONTROL.sub(" ", first_line(error.orig or error))
    console.print(f"the database does not answer ({reason}); waiting for it", highlight=False, markup=False)


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
        self._rows: list[_Row] = []

    def show(self, progress: RunProgress, rows: list[_Row]) -> None:
        self._update(self._edits, progress.edits, progress.edits.total)
        self._update(self._scores, progress.scores, progress.scores_asked)
        self._rows = rows

    def _update(self, bar: TaskID, counts: Counts, total: int) -> None:
        failed = f"{counts[State.FAILED]:,} failed" if counts[State.FAILED] else ""
        self._bars.update(bar, completed=counts.ended, total=total, failed=failed)

    def __rich__(self) -> RenderableType:
        title = Text(f"run {self._run.id}  {self._run.benchmark_name}", style="bold")
        return Group(title, self._bars, self._worker_rows())

    def _worker_rows(self) -> Table:
        table = Table.grid(padding=(0, 2))
        if not self._rows and not self._bars.finished:
            table.add_row(Text("no worker is at it yet", style="dim"))
        for row in self._rows[:WORKERS_SHOWN]:
            table.add_row(Text(row.place, style="dim"), Text(row.doing), Text(row.samples), f"{row.seconds:.0f} s")
        if len(self._rows) > WORKERS_SHOWN:
            table.add_row(f"and {len(self._rows) - WORKERS_SHOWN} more")
        return table


class _Lines:
    """What a pipe or a log gets."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run = run
        self._console = console
        self._next = 0.0

    def show(self, progress: RunProgress, rows: list[_Row]) -> None:
        now = time.monotonic()
        if now >= self._next or progress.finished:
            self._next = now + LINE_SECONDS
            lines = [line_of(self._run, progress)]
            lines += [f"  {row.place} {row.doing}  {row.samples}  {row.seconds:.0f} s" for row in rows]
            for line in lines:
                self._console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)


@dataclass(frozen=True)
class _Row:
    """What one worker is at, as it is shown: `[GPU 2]`, `step 23/40 1.8 it/s`, the sample, since when."""

    place: str
    doing: str
    samples: str
    seconds: float

    @classmethod
    def of(cls, worker: Worker, activity: Activity | None) -> _Row:
        said = activity is not None and activity.key in worker.keys  # else it was said of the job before
        return cls(
            place=f"[GPU {activity.gpu}]" if activity is not None and activity.gpu else worker.name,
            doing=str(activity) if said else worker.stage.value,
            samples=worker.keys[0] if len(worker.keys) == 1 else f"{len(worker.keys)} samples",
            seconds=max(0.0, time.time() - worker.since),
        )

    @classmethod
    def of_sick(cls, worker: Present) -> _Row:
        place = f"[GPU {worker.gpu}]" if worker.gpu else worker.name
        doing = _CONTROL.sub(" ", f"sick: {worker.reason}")
        return cls(place, doing[:LONGEST_REASON], samples="", seconds=max(0.0, time.time() - worker.since))


class _Scores:
    """Writes each score once, as it comes in."""

    def __init__(self, engine: Engine, run: Run, console: Console) -> None:
        self._engine, self._run, self._console = engine, run, console
        self._since = 0.0
        self._written: set[int] = set()

    def show(self) -> None:
        # A commit may become visible after one that was later by the clock, so the last seconds are asked for again.
        given = scores_given(self._engine, self._run.id, self._since - OVERLAP_SECONDS)
        for score in given:
            if score.score_id not in self._written:
                self._written.add(score.score_id)
                self._console.print(_score_line(score), highlight=False, no_wrap=True, overflow="ellipsis")
        self._since = max((score.finished_at for score in given), default=self._since)


def _score_line(score: GivenScore) -> Text:
    name = f"{score.key} #{score.repeat}" if score.repeat else score.key
    reasons = " ".join(score.reasoning.split())
    scorer = f"{score.scorer} #{score.judge_repeat}" if score.judge_repeat else score.scorer
    said = f"{with_alias(score.category)}  {name}  {scorer}  {score.value:.2f}  {reasons}"
    return Text(_CONTROL.sub(" ", said))
