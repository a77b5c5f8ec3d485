"""The commands that read how runs stand: `watch`, `status`."""

from __future__ import annotations

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
    """Show where a run stands, or all runs; and how the workers are."""
    from db.farm import engine
    from db.queries import find_run
    from producer.status import all_status_data, farm_data, farm_table, status_data, status_table

    runs = all_status_data(engine()) if run is None else [status_data(engine(), find_run(engine(), run))]
    workers = farm_data(engine())
    if as_json:
        print_json({"runs": runs, "farm": workers} if run is None else {**runs[0], "farm": workers})
        return
    stdout().print(status_table(runs))
    if workers:
        stdout().print(farm_table(workers))
