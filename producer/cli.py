"""The command line: flags in, one call, text out, an exit code. Results go to stdout, everything else to stderr.

What a command needs is imported when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from rich.console import Console

from db.command import SOME_FAILED, run_command, say
from producer.options import (
    benchmark_file,
    json_flag,
    one_run,
    one_run_or_all,
    one_run_or_latest,
    run_options,
    verbose_flag,
)
from producer.plan import plan
from producer.upkeep import fsck, gc

if TYPE_CHECKING:
    from db.configuration import RunConfiguration
    from db.ledger import Ledger
    from db.presence import Present
    from db.queries import Progress
    from producer.report.gather import Report
    from producer.submit import Submitted

click.rich_click.TEXT_MARKUP = "markdown"


def main() -> None:
    """Run the command line."""
    run_command(cli, "python -m producer")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="editfarm", message="%(version)s")
def cli() -> None:
    """Submit image-editing benchmarks to a farm of GPU workers and read their results."""


cli.add_command(fsck)
cli.add_command(gc)
cli.add_command(plan)


@cli.command()
@benchmark_file
@run_options
def submit(benchmark: Path, **choices: Any) -> None:
    """Check a benchmark, enter a run of it and send its jobs to the workers; print the run's id."""
    configuration = _configuration(choices)
    submitted = _submit(benchmark, configuration)
    click.echo(submitted.run_id)


@cli.command()
@benchmark_file
@run_options
@click.option("--workers", type=click.IntRange(min=1), help="Number of workers on CPUs. [default: by the models]")
@click.option("--gpus", metavar="LIST", help="GPUs to use, as in `0,1,2`. [default: all, where a model needs one]")
@verbose_flag
@json_flag
def run(benchmark: Path, workers: int | None, gpus: str | None, verbose: bool, as_json: bool, **choices: Any) -> int:
    """Do it all on this machine: broker, workers, submit, watch and report; nothing is left running."""
    from db.broker import SameBroker, embedded_address, require_broker
    from db.farm import engine
    from db.queries import find_run
    from db.settings import settings
    from producer.broker import embedded_broker
    from producer.farm import farm, farm_flags, require_healthy_gpu
    from producer.report.gather import gather_report
    from producer.watch import watch

    configuration = _configuration(choices)
    flags = farm_flags(configuration, gpus=gpus, workers=workers)
    with ExitStack() as stack:
        if settings().broker_url is None and embedded_address() is None:
            stack.enter_context(embedded_broker())
        same_broker = SameBroker(require_broker())
        submitted = _submit(benchmark, configuration)
        check_farm = stack.enter_context(farm(flags))

        def check(present: Sequence[Present]) -> None:
            check_farm()
            same_broker.require()
            require_healthy_gpu(present)

        try:
            found = find_run(engine(), submitted.run_id)
            progress = watch(engine(), found, _stderr(), check=check, verbose=verbose)
        except KeyboardInterrupt:
            say(f"ending; jobs under way have {settings().grace_seconds} s, a second Ctrl-C ends them at once")
            say(f"the same command goes on where this one stopped (run {submitted.run_id})")
            raise
    _print_report(gather_report(engine(), submitted.run_id), as_json)
    return _exit_code(progress)


@cli.command()
@one_run_or_latest
@verbose_flag
def watch(run: str, verbose: bool) -> int:
    """Show the progress of a run until it is finished; Ctrl-C leaves the run going."""
    from db.farm import engine
    from db.queries import find_run
    from producer.watch import watch as watch_run

    found = find_run(engine(), run)
    try:
        return _exit_code(watch_run(engine(), found, _stderr(), verbose=verbose))
    except KeyboardInterrupt:
        say(f"the run goes on; come back with `python -m producer watch {found.id}`")
        raise


@cli.command()
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
        _print_json({"runs": runs, "farm": workers} if run is None else {**runs[0], "farm": workers})
        return
    _stdout().print(status_table(runs))
    if workers:
        _stdout().print(farm_table(workers))


@cli.command()
@one_run_or_latest
@json_flag
def report(run: str, as_json: bool) -> None:
    """Print a run's scores by scorer and category; PARTIAL while it is not finished."""
    from db.farm import engine
    from producer.report.gather import gather_report

    _print_report(gather_report(engine(), run), as_json)


@cli.command()
@one_run
def retry(run: str) -> None:
    """Queue again every job of a run that failed."""
    from db.ledger import Ledger

    _ask_again(run, Ledger.retry, "failed")


@cli.command()
@one_run
def resume(run: str) -> None:
    """Queue again every job of a run that was cancelled, and send the messages that waiting jobs are owed."""
    from db.ledger import Ledger

    _ask_again(run, Ledger.resume, "cancelled")


@cli.command()
@one_run
def cancel(run: str) -> None:
    """Cancel the jobs of a run that wait or run; results that are in stay."""
    from db.farm import engine, ledger
    from db.queries import find_run

    found = find_run(engine(), run)
    say(f"run {found.id}: cancelled {ledger().cancel(found.id):,} jobs")


@cli.command()
@click.argument("name", required=False)
@json_flag
def models(name: str | None, as_json: bool) -> None:
    """Show the editors and scorers a run may name, or every value that one of them stands for."""
    from producer.models import model_data, models_data, models_table, options_table

    content = models_data() if name is None else model_data(name)
    if as_json:
        _print_json(content)
    else:
        _stdout().print(models_table() if name is None else options_table(name))


@cli.command()
def broker() -> None:
    """Run the embedded broker of FARM_HOME until Ctrl-C, for workers and producers on this machine."""
    import threading

    from db.broker import without_password
    from producer.broker import embedded_broker

    with embedded_broker() as address:
        say(f"broker at {without_password(address)}; Ctrl-C ends it")
        threading.Event().wait()


def _configuration(choices: dict[str, Any]) -> RunConfiguration:
    from producer.choices import choose

    named = {name: choices.pop(name) for name in ("file", "editor", "scorers", "settings")}
    return choose(**named, others=choices)


def _submit(benchmark: Path, configuration: RunConfiguration) -> Submitted:
    from db.broker import require_broker
    from db.farm import images, ledger
    from db.queries import shared_edits
    from producer.benchmark import open_benchmark
    from producer.plan import forecast, in_words
    from producer.queue import send
    from producer.submit import submit

    opened = open_benchmark(benchmark)
    require_broker()
    submitted = submit(opened, configuration, ledger=ledger(), images=images(), send=send)
    checked = submitted.benchmark
    if (seconds := forecast(ledger().engine)) is not None:
        say(f"the farm needs about {in_words(seconds)} for all that waits")
    for run_id, count in shared_edits(ledger().engine, submitted.run_id).items():
        say(f"{count:,} edits are there already: run {run_id} asked for the same (--fresh makes them anew)")
    if not submitted.new:
        say(f"run {submitted.run_id} was asked for before; it goes on where it stands")
    needy = any(spec.needs_reference for spec in configuration.specs())
    if needy and checked.without_reference:
        say(
            f"{checked.without_reference:,} of {checked.sample_count:,} samples have no reference image "
            "and will fail at a scorer that needs one"
        )
    return submitted


def _ask_again(run: str, verb: Callable[[Ledger, str], int], state: str) -> None:
    from db.broker import require_broker
    from db.doorbells import ring_owed
    from db.errors import ServiceUnreachable
    from db.farm import engine, ledger
    from db.queries import find_run
    from producer.queue import send

    found = find_run(engine(), run)
    changed = verb(ledger(), found.id)
    say(f"run {found.id}: queued {changed:,} {state} jobs again")
    try:
        require_broker()
        ring_owed(ledger(), send)
    except ServiceUnreachable:
        say("no broker answers now; the first worker that runs sends their messages")


def _exit_code(progress: Progress) -> int:
    return 0 if progress.complete else SOME_FAILED


def _print_report(report: Report, as_json: bool) -> None:
    if as_json:
        from producer.report.as_json import report_as_json

        click.echo(report_as_json(report))
    else:
        from producer.report.table import print_report

        print_report(report, _stdout())


def _print_json(content: object) -> None:
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def _stdout() -> Console:
    return Console()


def _stderr() -> Console:
    return Console(stderr=True)
