"""What a watch shows on a terminal: a bar for each stage, a row for each worker, as wide as there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from db.errors import one_line
from db.queries import Run
from db.tables import Stage, State
from producer.standing.rows import Row
from producer.watch.look import Look
from producer.watch.wording import doing, last_column, place, several_hosts

WORKERS_SHOWN = 16
WIDEST_BARS = 110
GAP = 2
LEAST_MODEL, LEAST_SAMPLE = 8, 10
"""Columns that a model's name and a sample's take at least, if they are so long; else the sample is left out."""

_LEAST_WIDTHS = (0, 8, 11)
"""Of counts, rate and time left: so the bars keep their length when these come and go."""

_STYLES = ("dim", "", "cyan", "", "", "", "", "dim")
_MODEL, _MEMORY, _HOURLY, _SAMPLE, _SECONDS = 2, 4, 5, 6, 7
_RIGHT = (_MEMORY, _HOURLY, _SECONDS)


class Bars:
    """What a terminal shows."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._look: Look | None = None

    def show(self, look: Look) -> None:
        """Show this from now on."""
        self._look = look

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        title = one_line(f"run {self._run.id}  {self._run.benchmark_name}")
        yield Text(title, style="bold", no_wrap=True, overflow="ellipsis")
        if self._look is not None:
            yield _stages(self._look, options.max_width)
            yield from _failed(self._look)
            yield from _workers(self._look, options.max_width)


def _stages(look: Look, width: int) -> Table:
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.width = min(width, WIDEST_BARS)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for least in _LEAST_WIDTHS:
        table.add_column(justify="right", no_wrap=True, min_width=least)
    for stage in Stage:
        counts, asked = look.counts(stage)
        bar = ProgressBar(total=max(asked, 1), completed=counts.ended)
        table.add_row(
            f"{stage}s", bar, f"{counts.ended:,}/{asked:,}", Text(look.rate(stage), "green"), look.time_left(stage)
        )
    return table


def _failed(look: Look) -> Iterator[RenderableType]:
    if look.failed:
        by_stage = [(stage, look.counts(stage)[0][State.FAILED]) for stage in Stage]
        parts = [f"{stage}s {count:,}" for stage, count in by_stage if count]
        yield Text(f"failed  {', '.join(parts)}{look.lately.reasons()}", style="red")


def _workers(look: Look, width: int) -> Iterator[RenderableType]:
    if not look.rows and not look.progress.finished:
        yield Text("no worker is at it yet", style="dim")
    shown = look.rows[:WORKERS_SHOWN]
    with_host = several_hosts(look.rows)
    yield _table([_cells(row, with_host) for row in shown if row.sick is None], width)
    for row in shown:
        if row.sick is not None:
            line = f"{place(row, with_host=with_host)}  {doing(row)[2]}"
            yield Text(line, style="red", no_wrap=True, overflow="ellipsis")
    if len(look.rows) > WORKERS_SHOWN:
        yield Text(f"and {len(look.rows) - WORKERS_SHOWN} more", style="dim")


def _cells(row: Row, with_host: bool) -> list[str]:
    return [place(row, with_host=with_host), *doing(row), *last_column(row)]


def _table(rows: Sequence[list[str]], width: int) -> Table:
    """Return the rows within so many columns: only the names of models and samples are cut."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    table = Table.grid(padding=(0, GAP, 0, 0))
    if not rows:
        return table
    for dispensable in (_SECONDS, _MEMORY, _HOURLY):
        if _room(widths, width) < LEAST_MODEL:
            widths[dispensable] = 0
    widths[_MODEL], widths[_SAMPLE] = _shared(widths, width)
    columns = [number for number, column in enumerate(widths) if column > 0]
    for number in columns:
        table.add_column(
            style=_STYLES[number], justify="right" if number in _RIGHT else "left", no_wrap=True, overflow="ellipsis"
        )
    for row in rows:
        table.add_row(*(_cut(row[number], widths[number]) for number in columns))
    return table


def _room(widths: Sequence[int], width: int) -> int:
    """Return how much of the width all other columns leave to the names of models and samples."""
    others = sum(column + GAP for number, column in enumerate(widths) if column and number not in (_MODEL, _SAMPLE))
    return width - others - GAP


def _shared(widths: Sequence[int], width: int) -> tuple[int, int]:
    """Return how wide the names of models and of samples may be: the model's is whole if that leaves enough."""
    room = _room(widths, width)
    model = min(widths[_MODEL], max(LEAST_MODEL, room - GAP - min(widths[_SAMPLE], room // 2)))
    sample = min(widths[_SAMPLE], room - GAP - model)
    if sample < min(LEAST_SAMPLE, widths[_SAMPLE]):
        return min(widths[_MODEL], max(LEAST_MODEL, room)), 0
    return model, sample


def _cut(cell: str, width: int) -> Text:
    text = Text(cell)
    text.truncate(width, overflow="ellipsis")
    return text
