"""The commands that read how runs stand: `watch`, `status`, `runs`."""

from __future__ import annotations

from typing import Any

import rich_click as click

from db.command import say
from producer.commands.options import json_flag, one_run_or_all, one_run_or_latest, verbose_flag
from producer.commands.output import exit_code, print_json, stderr, stdout


@click.command()
@one_run_or_latest
@verbose_flag
def watch(run: str, verbose: bool) -> int:
    """Show the progress of a run until it is finished; Ctrl-C leaves the run going."""
    from db.farm import engine
    from db.queries import find_run
    from producer.watch import watch as watch_run

    found = find_run(engine(), run)
    try:
        return exit_code(watch_run(engine(), found, stderr(), verbose=verbose))
    except KeyboardInterrupt:
        say(f"the run goes on; come back with `python -m producer watch {found.id}`")
        raise


@click.command()
@one_run_or_all
@json_flag
def status(run: str | None, as_json: bool) -> None:
    """Show where a run stands, how fast it goes and what its workers are at; or all runs; and how the workers are."""
    from db.farm import engine
    from producer.standing.status import all_status_data, farm_data
    from producer.standing.tables import farm_table, status_table

    runs = all_status_data(engine()) if run is None else [_status_of(run)]
    workers = farm_data(engine())
    if as_json:
        print_json({"runs": runs, "farm": workers} if run is None else {**runs[0], "farm": workers})
        return
    stdout().print(status_table(runs))
    if run is not None:
        _print_details(runs[0])
    if workers:
        stdout().print(farm_table(workers))
    elif any(run["state"] == "running" for run in runs):
        stdout().print("no worker is ready: `python -m workers` starts one for each GPU", highlight=False)


def _status_of(run: str) -> dict[str, Any]:
    """Return where a run stands; workers that have a job of it are listened to for a moment."""
    from db.farm import engine
    from db.queries import find_run, working
    from producer.activity import hear_for_a_moment
    from producer.standing.status import status_data

    found = find_run(engine(), run)
    names = {worker.name for worker in working(engine(), found.id)}
    heard = hear_for_a_moment(names) if names else {}
    return status_data(engine(), found, heard.get)


def _print_details(status: dict[str, Any]) -> None:
    from producer.standing.tables import pace_lines, workers_table

    for line in pace_lines(status):
        stdout().print(line, highlight=False)
    if status["workers"]:
        stdout().print(workers_table(status))


@click.command()
@json_flag
def runs(as_json: bool) -> None:
    """List all runs, the newest first: what each was asked for, and how much of it is done."""
    from db.farm import engine
    from producer.standing.status import all_runs_data
    from producer.standing.tables import run_lines

    found = all_runs_data(engine())
    if as_json:
        print_json(found)
        return
    for line in run_lines(found):
        click.echo(line)
