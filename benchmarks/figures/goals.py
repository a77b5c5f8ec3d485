"""What a figure must be, whether it is, and how rows of figures are told: as JSON lines, as a table, by exit code."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NoReturn, Protocol, Self, TypeVar

import click

from benchmarks.figures.machine import cpu_description, measured_on
from benchmarks.figures.outcome import Fell
from benchmarks.figures.tables import figure, markdown_table


@dataclass(frozen=True)
class Goal:
    """What a figure must be: at most the limit, or at least it."""

    figure: str
    limit: float
    at_most: bool = True

    def holds(self, value: float | None) -> bool:
        """Tell whether the value reaches the goal; one that is missing never does."""
        if value is None:
            return False
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        return f"{self.figure} {'<=' if self.at_most else '>='} {self.limit:g}"


def verdict(holds: bool | None) -> str:
    """Return whether a goal is reached, in words; nothing where none is set."""
    return {True: "holds", False: "falls short", None: ""}[holds]


class Row(Protocol):
    """A line of a table: a dataclass that knows whether its goal is reached; None: none is set."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached."""


R = TypeVar("R", bound=Row)


def publish(rows: Iterable[R], table: Callable[[Sequence[R]], str], *, as_json: bool) -> NoReturn:
    """Write each row as a JSON line as soon as it is there, or all of them as a table; exit with 1 for a goal missed.

    With JSON lines the table goes to stderr.
    """
    told: list[R] = []
    for row in rows:
        told.append(row)
        if as_json:
            click.echo(json.dumps(asdict(row), ensure_ascii=False))
    click.echo(table(told), err=as_json)
    sys.exit(any(row.holds is False for row in told))


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """As a person calls it."""


N = TypeVar("N", bound=Named)


def chosen_by_name(cases: Sequence[N], names: Sequence[str]) -> list[N]:
    """Return the cases whose names begin with one of these; all where none is given. Raises BadParameter."""
    unknown = [name for name in names if not any(case.name.startswith(name) for case in cases)]
    if unknown:
        there = "; ".join(case.name for case in cases)
        raise click.BadParameter(f"no case begins with {unknown[0]!r}; there are: {there}")
    return [case for case in cases if not names or any(case.name.startswith(name) for name in names)]


# -- one figure a row --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """One figure of one case: the median of its rounds, and each of them in `every_value`.

    `holds` is None where nothing is asked; `note`: why there is no figure.
    """

    case: str
    figure: str
    value: float | None
    unit: str
    goal: str = ""
    holds: bool | None = None
    note: str = ""
    every_value: Sequence[float] = ()


@dataclass(frozen=True)
class Figure:
    """A figure that is measured in several rounds, and the goal that its median is held to, if any."""

    case: str
    name: str
    unit: str
    goal: Goal | None = None

    @classmethod
    def at_most(cls, case: str, name: str, unit: str, limit: float) -> Self:
        """Return a figure that must not exceed the limit."""
        return cls(case, name, unit, Goal(unit, limit))

    @classmethod
    def at_least(cls, case: str, name: str, unit: str, limit: float) -> Self:
        """Return a figure that must reach the limit."""
        return cls(case, name, unit, Goal(unit, limit, at_most=False))

    def row(self, values: Sequence[float]) -> Measured:
        """Return its row, from a value for each round."""
        median = statistics.median(values) if values else None
        return self._row(median, "", values)

    def fell(self, reason: str) -> Measured:
        """Return its row where a round came to nothing."""
        return self._row(None, reason, ())

    def _row(self, value: float | None, note: str, values: Sequence[float]) -> Measured:
        return Measured(
            case=self.case,
            figure=self.name,
            value=value,
            unit=self.unit,
            goal=str(self.goal or ""),
            holds=self.goal.holds(value) if self.goal else None,
            note=note,
            every_value=tuple(values),
        )


Round = Callable[[], Sequence[float]]
"""Measures once; a value for each figure."""


def in_rounds(figures: Sequence[Figure], measure: Round, rounds: int) -> Iterator[Measured]:
    """Yield a row for each figure, from so many rounds; where one of them fell, the rows say why."""
    values: list[Sequence[float]] = []
    try:
        for number in range(rounds):
            values.append(measure())
            shown = ", ".join(f"{figure(value)} {one.unit}" for one, value in zip(figures, values[-1], strict=True))
            click.echo(f"{figures[0].case}, round {number + 1}: {shown}", err=True)
    except Fell as error:
        yield from (one.fell(str(error)) for one in figures)
        return
    for number, one in enumerate(figures):
        yield one.row([of_round[number] for of_round in values])


def figures_table(rows: Sequence[Measured]) -> str:
    """Return the rows as markdown, and below them the machine."""
    header = ["case", "figure", "measured", "each round", "goal", "holds", "note"]
    table = markdown_table(header, [_cells(row) for row in rows])
    return f"{table}\n\n{measured_on(cpu_description(), ('celery', 'SQLAlchemy'))}"


def _cells(row: Measured) -> list[str]:
    measured = "" if row.value is None else f"{figure(row.value)} {row.unit}".strip()
    return [row.case, row.figure, measured, every(row.every_value, figure), row.goal, verdict(row.holds), row.note]


def every(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """Return the values of several rounds, in their order; nothing of a single one."""
    return ", ".join(map(shown, values)) if len(values) > 1 else ""
