"""The commands about a run that is there: done again (`retry`, `rescore`, `resume`), or not (`cancel`, `remove`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from db.command import say
from producer.commands.asking import say_what_is_asked
from producer.commands.options import one_run, scoring_options
from producer.words import counted

if TYPE_CHECKING:
    from db.ledger import Ledger
    from db.queries import Run


@click.command()
@one_run
@click.option("--failed", is_flag=True, help="All that failed. [default]")
@click.option("--unparsed", is_flag=True, help="Only scores whose judge gave no reply that could be read.")
@click.option("--kind", "kinds", metavar="KIND", multiple=True, help="Only what failed as KIND; may be repeated.")
@click.option(
    "--category", "categories", metavar="NAME", multiple=True, help="Only samples of this category; may be repeated."
)
def retry(run: str, failed: bool, unparsed: bool, kinds: Sequence[str], categories: Sequence[str]) -> None:
    """Queue again the jobs of a run that failed, all of them or only some; reports can tell them apart."""
    from db.errors import WrongCall
    from db.failed import failed_jobs
    from db.farm import engine

    if failed and (unparsed or kinds):
        raise WrongCall("--failed means all that failed; --unparsed and --kind mean some of it")
    run_id = own_run(run).id
    which = failed_jobs(engine(), run_id, kinds=[*kinds, *(["unparsed"] if unparsed else [])], categories=categories)
    _ask_again(run_id, lambda ledger: ledger.retry(run_id, which), "failed")


@click.command()
@one_run
@scoring_options
def rescore(run: str, **choices: Any) -> None:
    """Score the edits of a run anew, by other scorers or otherwise, and make none again; print the new run's id."""
    from db.broker import require_broker
    from db.farm import ledger
    from producer.choices import choose_scorers
    from producer.queue import send
    from producer.recipes.follow import following
    from producer.rescore import rescore as rescore_run

    found = own_run(run)
    recipe = following(choices.pop("recipe"), choices.pop("prompts"))
    named = {name: choices.pop(name) for name in ("file", "scorers", "settings")}
    configuration = choose_scorers(found.configuration, **named, others=choices, recipe=recipe)
    require_broker()
    rescored = rescore_run(found, configuration, ledger=ledger(), send=send)
    say_what_is_asked(rescored.run_id, rescored.new, configuration)
    if rescored.without_own_prompts:
        say(
            f"run {found.id} is of an older version, which kept no prompts of the benchmark: judges have those built in"
        )
    click.echo(rescored.run_id)


@click.command()
@one_run
def resume(run: str) -> None:
    """Queue again every job of a run that was cancelled, and send the messages that waiting jobs are owed."""
    from db.farm import engine
    from db.queries import find_run

    run_id = find_run(engine(), run).id
    _ask_again(run_id, lambda ledger: ledger.resume(run_id), "cancelled")


@click.command()
@one_run
def cancel(run: str) -> None:
    """Cancel the jobs of a run that wait or run; results that are in stay."""
    from db.farm import engine, ledger
    from db.queries import find_run

    found = find_run(engine(), run)
    say(f"run {found.id}: cancelled {counted(ledger().cancel(found.id), 'job')}")


@click.command()
@one_run
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(run: str, yes: bool) -> None:
    """Remove a run with all that came of it; `gc` then removes the images that no other run names."""
    import sys

    from db.errors import WrongCall, one_line
    from db.farm import engine
    from db.queries import find_run
    from db.removal import remove_run

    found = find_run(engine(), run)
    editor = found.configuration["editor"]["label"]
    what = one_line(f"run {found.id} ({found.benchmark_name}, {editor})")
    if not yes and not sys.stdin.isatty():
        raise WrongCall(f"remove asks before it removes {what}; without a terminal, --yes says so")
    if not yes:
        click.confirm(f"Remove {what} for good?", abort=True, err=True)
    removed = remove_run(engine(), found.id)
    benchmark = f", and its benchmark, of {counted(removed.samples, 'sample')}" if removed.samples else ""
    say(f"removed {what}: {counted(removed.edits, 'edit')}, {counted(removed.scores, 'score')}{benchmark}")


def own_run(given: str) -> Run:
    """Return the run, which this farm has made itself. Raises UnknownRun, WrongCall."""
    from db.errors import WrongCall
    from db.farm import engine
    from db.queries import find_run

    found = find_run(engine(), given)
    if found.is_imported:
        raise WrongCall(
            f"run {found.id} was imported: its edits and scores were made elsewhere, nothing of it can be run"
        )
    return found


def _ask_again(run_id: str, verb: Callable[[Ledger], int], state: str) -> None:
    from db.broker import broker_address, require_broker
    from db.doorbells import ring_owed
    from db.errors import ServiceUnreachable
    from db.farm import ledger
    from db.one_host import require_database_for_all
    from producer.queue import send

    require_database_for_all(broker_address())
    changed = verb(ledger())
    say(f"run {run_id}: queued {counted(changed, f'{state} job')} again")
    try:
        require_broker()
        ring_owed(ledger(), send)
    except ServiceUnreachable:
        say("no broker answers now; the first worker that runs sends their messages")
