"""Where runs stand and what the farm is at, as tables for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from db.errors import one_line
from producer.words import HOUR_SECONDS, counted, hourly_in_words, in_words, memory_in_words, rate_in_words


def status_table(runs: Sequence[dict[str, Any]]) -> Table:
    """Return a table with one row per run."""
    table = _table(("run", "benchmark", "editor", "state"), numbers=_COUNTS)
    for run in runs:
        table.add_row(run["run"], _plain(run["benchmark"]), _plain(run["editor"]), run["state"], *_counts(run))
    return table


def run_lines(runs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield two lines for each run: how it stands; since when, by this machine's clock, and what it was asked for."""
    rows = [_standing(run) for run in runs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for run, row in zip(runs, rows, strict=True):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        created = f"{datetime.fromtimestamp(run['created_at']):%Y-%m-%d %H:%M}"
        asked = (created, run["benchmark"], run["editor"], f"scored by {', '.join(run['scorers'])}")
        yield one_line(f"{'':{len(run['run'])}}  {'  '.join(asked)}")


def _standing(run: dict[str, Any]) -> tuple[str, ...]:
    edits, scores, failed = _counts(run)
    return run["run"], run["state"], f"edits {edits}", f"scores {scores}", f"failed {failed}"


def pace_lines(status: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each stage that goes, one for images not given, one for what judges said and none could read."""
    for stage, pace in status["pace"].items():
        if pace["jobs_per_hour"] and pace["seconds_left"] != 0:
            rate, left = rate_in_words(pace["jobs_per_hour"] / HOUR_SECONDS), in_words(pace["seconds_left"])
            yield f"{stage}s: {rate}, {left} left"
    if status["missing"]:
        yield f"{counted(status['missing'], 'edit')} failed as missing: no image was given"
    if status["unparsed"]:
        yield f"{counted(status['unparsed'], 'score')} failed as unparsed: the judge's reply holds none to be read"


def workers_table(status: dict[str, Any]) -> Table:
    """Return a table with one row for each worker that has a job of the run."""
    table = _table(("worker", "stage", "model", "at"), numbers=("memory", "jobs"))
    for worker in status["workers"]:
        steps = f"step {worker['step']}/{worker['steps']} {worker['steps_per_second']:.1f} it/s"
        table.add_row(
            *map(_plain, (worker["worker"], worker["stage"], worker["model"])),
            _plain(steps if worker["steps"] else worker["doing"]),
            memory_in_words(worker["memory_used_bytes"], worker["memory_bytes"]),
            hourly_in_words(worker["jobs_per_hour"] / HOUR_SECONDS),
        )
    return table


def farm_table(farm: list[dict[str, Any]]) -> Table:
    """Return a table with one row per worker."""
    table = _table(("worker", "GPU", "health", "last word"))
    for worker in farm:
        health = f"{worker['health']}: {worker['reason']}" if worker["reason"] else worker["health"]
        table.add_row(
            _plain(worker["worker"]),
            _plain(worker["gpu"] or "none"),
            _plain(health, "" if worker["health"] == "serving" else "red"),
            f"{worker['seconds_ago']:.0f} s ago",
        )
    return table


_COUNTS = ("edits", "scores", "failed")


def _counts(run: dict[str, Any]) -> tuple[str, str, str]:
    edits, scores = run["edits"], run["scores"]
    return (
        f"{edits['done']:,}/{edits['total']:,}",
        f"{scores['done']:,}/{scores['asked']:,}",
        f"{edits['failed'] + scores['failed']:,}",
    )


def _table(texts: Sequence[str], *, numbers: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True)
    for column in texts:
        whole = column in ("run", "worker", "state")  # a name in two is no name any more
        table.add_column(column, overflow="fold", no_wrap=whole)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _plain(text: str, style: str = "") -> Text:
    return Text(one_line(text), style=style)
