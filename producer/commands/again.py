"""The commands that change what is asked of a run that is there: `retry`, `resume`, `cancel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import rich_click as click

from db.command import say
from producer.commands.options import one_run

if TYPE_CHECKING:
    from db.ledger import Ledger


@click.command()
@one_run
def retry(run: str) -> None:
    """Queue again every job of a run that failed."""
    from db.ledger import Ledger

    _ask_again(run, Ledger.retry, "failed")


@click.command()
@one_run
def resume(run: str) -> None:
    """Queue again every job of a run that was cancelled, and send the messages that waiting jobs are owed."""
    from db.ledger import Ledger

    _ask_again(run, Ledger.resume, "cancelled")


@click.command()
@one_run
def cancel(run: str) -> None:
    """Cancel the jobs of a run that wait or run; results that are in stay."""
    from db.farm import engine, ledger
    from db.queries import find_run

    found = find_run(engine(), run)
    say(f"run {found.id}: cancelled {ledger().cancel(found.id):,} jobs")


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
