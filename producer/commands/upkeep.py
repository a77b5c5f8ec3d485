"""The commands that look after a farm's state: `fsck`, `gc`, `migrate`, and its `broker`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import rich_click as click

from db.command import SOME_FAILED, say
from db.errors import one_line
from producer.commands.options import json_flag, one_run_or_all
from producer.words import counted

if TYPE_CHECKING:
    from db.upkeep.finding import Finding

HOUR_SECONDS = 3600

_dry_run = click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")


@click.command()
@one_run_or_all
@_dry_run
@json_flag
def fsck(run: str | None, dry_run: bool, as_json: bool) -> int:
    """Check the ledger of one run, or of all, against the image store and against itself; repair what can be."""
    from db.farm import engine, images, ledger
    from db.queries import find_run
    from db.upkeep.finding import Inspection, Tally
    from db.upkeep.fsck import findings

    inspected = None if run is None else find_run(engine(), run)
    tally = Tally()
    found = tally.counted(findings(Inspection(ledger(), images(), inspected, repair=not dry_run)))
    for text in _as_json_lines(found) if as_json else _as_lines(found):
        click.echo(text)
    say(str(tally))
    return 0 if tally.all_repaired else SOME_FAILED


@click.command()
@_dry_run
@click.option(
    "--older-than",
    "hours",
    metavar="HOURS",
    type=click.IntRange(min=1),
    default=24,
    show_default=True,
    help="Leave alone what was stored later than so many hours ago.",
)
def gc(dry_run: bool, hours: int) -> None:
    """Remove images that no run names any more, and what interrupted writers left; safe beside running work."""
    from db.farm import engine, images
    from db.upkeep.gc import collect

    removed = collect(engine(), images(), older_than_seconds=hours * HOUR_SECONDS, dry_run=dry_run)
    what = f"{counted(removed.files, 'file')}, {counted(removed.bytes, 'byte')}"
    click.echo(f"{'would remove' if dry_run else 'removed'} {what}")
    if removed.aside:
        done = "would be set aside" if dry_run else "set aside"
        say(f"{counted(removed.aside, 'unused image')} {done}: a gc in {counted(hours, 'hour')} or later removes them")


@click.command()
def migrate() -> None:
    """Bring the ledger's schema up to date, or make a new ledger; workers that start meanwhile wait for it."""
    from db import engine
    from db.settings import settings

    click.echo(str(engine.migrate(settings().database)))


@click.command()
def broker() -> None:
    """Run the embedded broker of FARM_HOME until Ctrl-C, for workers and producers on this machine."""
    import threading

    from db.broker_url import without_password
    from producer.broker import embedded_broker

    with embedded_broker() as address:
        say(f"broker at {without_password(address)}; Ctrl-C ends it")
        threading.Event().wait()


def _as_lines(found: Iterable[Finding]) -> Iterator[str]:
    return (one_line(str(finding)) for finding in found)


def _as_json_lines(found: Iterable[Finding]) -> Iterator[str]:
    """Yield the lines of one JSON list, so that a long one is never held as a whole."""
    lead = "["
    for finding in found:
        yield lead + json.dumps(asdict(finding), ensure_ascii=False)
        lead = ","
    yield "]" if lead == "," else "[]"
