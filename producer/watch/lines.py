"""What a watch writes where there is no terminal: a line for the run and one for each worker, once a minute."""

from __future__ import annotations

import time

from rich.console import Console

from db.queries import Run
from db.tables import Stage
from producer.standing.rows import Row
from producer.watch.look import Look
from producer.watch.wording import doing, last_column, place, several_hosts

LINE_SECONDS = 60
"""How often it writes."""


class Lines:
    """What a pipe or a log gets."""

    def __init__(self, run: Run, console: Console) -> None:
        self._run = run
        self._console = console
        self._next_at = 0.0

    def show(self, look: Look) -> None:
        """Write, when it is time or the run is finished."""
        now = time.monotonic()
        if now >= self._next_at or look.progress.finished:
            self._next_at = now + LINE_SECONDS
            with_host = several_hosts(look.rows)
            for line in [line_of(self._run, look), *(_row(row, with_host) for row in look.rows)]:
                self._console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)


def line_of(run: Run, look: Look) -> str:
    """Return where the run stands as one line of text."""
    stages = ", ".join(_stage(stage, look) for stage in Stage)
    return f"run {run.id}: {stages}, failed {look.failed:,}{look.lately.reasons()}"


def _stage(stage: Stage, look: Look) -> str:
    counts, asked = look.counts(stage)
    pace = ", ".join(part for part in (look.rate(stage), look.time_left(stage)) if part)
    return f"{stage}s {counts.ended:,}/{asked:,}" + (f" ({pace})" if pace else "")


def _row(row: Row, with_host: bool) -> str:
    return "  " + "  ".join(part for part in (place(row, with_host=with_host), *doing(row), *last_column(row)) if part)
