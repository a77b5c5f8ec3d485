"""Measures `producer report`: a hundred thousand scores with their intervals, on each database: `benchmarks.reporting`.

The command is measured as a person calls it, from its start to the end of the JSON, with all of its memory. Every score
has dimensions and a judge's reasons beside it; every sample has a source image of its own, which is what intervals cost
most with.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import click
from sqlalchemy import String, cast, func, literal, update

from benchmarks.figures.goals import Figure, Measured, figures_table, in_rounds, publish
from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.databases import DATABASES
from benchmarks.measured_farm.farm import ROOT, Farm, open_farm
from benchmarks.measured_farm.finished import finish
from benchmarks.measured_farm.processes import MB, Spent, run_watched
from benchmarks.measured_farm.samples import tiny_png, write_lines
from db.engine import transaction
from db.tables import samples

SCORES = 100_000
SECONDS_AT_MOST = 5.0
MB_AT_MOST = 300.0
SCORERS = ("one", "other")
IMAGES = 10
TIMEOUT_SECONDS = 300.0

_DETAIL = {
    "reasoning": "The rain is there, and the street is wet; the light has not changed with it. " * 5,
    "criteria": {"following": 7.0, "preservation": 8.5, "realism": 6.0},
}


@click.command()
@click.option("--scores", default=SCORES, show_default=True, help="Of the run that is reported, two scorers together.")
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(scores: int, rounds: int, as_json: bool) -> None:
    """Measure what a report takes; markdown on stdout. Exit code 1 when a goal is missed."""
    rows = chain.from_iterable(rows_of(database, scores, rounds) for database in DATABASES)
    publish(rows, figures_table, as_json=as_json)


def rows_of(database: str, scores: int, rounds: int) -> Iterator[Measured]:
    """Yield the rows of one kind of database."""
    name = f"report of {scores:,} scores as JSON, bootstrap included, {database}"
    figures = (
        Figure.at_most(name, "whole command", "s", SECONDS_AT_MOST),
        Figure.at_most(name, "peak memory of the whole command", "MB", MB_AT_MOST),
    )
    with open_farm(database) as farm:
        run_id = scored_run(farm, scores)

        def measure() -> Sequence[float]:
            spent = reported(farm, run_id, scores)
            return spent.seconds, spent.peak_bytes / MB

        yield from in_rounds(figures, measure, rounds)


def scored_run(farm: Farm, scores: int) -> str:
    """Enter a run that has so many scores; return its id."""
    file = write_lines(farm.folder, scores // len(SCORERS), images=[tiny_png(number) for number in range(IMAGES)])
    configuration = farm.folder / "run.yaml"
    configuration.write_text(json.dumps({"editor": "simulated", "scorers": [_scorer(label) for label in SCORERS]}))
    run_id = farm.submit(file, "--config", str(configuration)).output
    finish(farm.engine, run_id, detail=_DETAIL)
    with transaction(farm.engine) as connection:  # as many files would take minutes to store, and no report reads them
        connection.execute(update(samples).values(source_image=_digest()))
    return run_id


def _scorer(label: str) -> dict[str, Any]:
    return {"name": "simulated", "label": label}


def _digest() -> Any:
    """Return an expression for a digest of each sample's own."""
    number = literal("0" * 64).op("||")(cast(samples.c.id, String))
    return func.substr(number, func.length(number) - 63)


def reported(farm: Farm, run_id: str, scores: int) -> Spent:
    """Call the command; raises Fell where its report is not of all scores."""
    command = [sys.executable, "-m", "producer", "report", run_id, "--format", "json"]
    spent = run_watched(command, environment=farm.environment, folder=ROOT, timeout=TIMEOUT_SECONDS)
    found = json.loads(spent.output)["scorers"]
    scored = sum(scorer["dimensions"][0]["overall"]["scored"] for scorer in found)
    if scored != scores // len(SCORERS) * len(SCORERS):
        raise Fell(f"the report is of {scored:,} scores, not of {scores:,}")
    return spent


if __name__ == "__main__":
    main()
