"""The commands that move a run between farms: `export` and `import`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import rich_click as click

from db.command import say
from db.errors import WrongCall
from producer.commands.options import PATH, json_flag, one_run

if TYPE_CHECKING:
    from db.moving.records import MovedRun

STREAM = Path("-")

_archive = click.argument("file", metavar="FILE", type=PATH, help="The archive; `-` is stdout or stdin.")


@click.command()
@one_run
@_archive
@json_flag
def export(run: str, file: Path, as_json: bool) -> None:
    """Write a run, rows and images, as one archive to FILE, `-` for stdout; `import` takes it into another farm."""
    from db.farm import engine, images
    from db.queries import find_run
    from producer.moving import outgoing

    if file == STREAM and as_json:
        raise WrongCall("export -: the archive goes to stdout; --json has no place there")
    found = find_run(engine(), run)
    with _written(file) as archive:
        exported = outgoing.export(engine(), images(), found.id, archive)
    counts = asdict(exported.counts)
    say(f"run {found.id}: {_in_words(counts)}, {exported.bytes:,} bytes")
    if any(exported.unfinished.values()):
        edits, scores = exported.unfinished.values()
        say(
            f"it is not finished: {edits:,} edits and {scores:,} scores are cancelled in the archive, and go on where "
            f"they are resumed; `python -m producer cancel {found.id}` first, or both farms do them"
        )
    if as_json:
        click.echo(json.dumps({"run": found.id, "file": str(file), **counts, "bytes": exported.bytes}))


@click.command("import")
@_archive
@json_flag
def import_(file: Path, as_json: bool) -> None:
    """Take in a run that `export` wrote to FILE, `-` for stdin; print its id. All of it is checked first."""
    from db.farm import engine, images
    from producer.moving.incoming import import_run

    with _read(file) as archive:
        imported = import_run(engine(), images(), archive)
    run, counts = imported.run, asdict(imported.counts)
    say(f"run {run.id}: {_in_words(counts)}{'' if imported.new else '; it was here already'}")
    if imported.benchmark_name != run.benchmark.name:
        say(f"its benchmark is called {imported.benchmark_name!r} here, not {run.benchmark.name!r}")
    if imported.unfinished:
        say(
            f"it is not finished: `python -m producer resume {run.id}` queues {imported.unfinished:,} jobs, for "
            f"{', '.join(_asked(run))}"
        )
    click.echo(json.dumps({"run": run.id, "new": imported.new, **counts}) if as_json else run.id)


def _in_words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _asked(run: MovedRun) -> Iterator[str]:
    """Yield the models of a run, with the addresses that they would be asked at: somebody else chose them."""
    models: list[dict[str, Any]] = [run.configuration["editor"], *run.configuration["scorers"]]
    for model in models:
        address = model["options"].get("base_url")
        yield f"{model['label']} at {address}" if address else str(model["label"])


@contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    from producer.moving.outgoing import whole_file

    if file == STREAM and sys.stdout.isatty():
        raise WrongCall("export -: an archive is nothing for a terminal; give a file, or a pipe")
    if file == STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif file.exists() and not file.is_file():  # a device or a pipe keeps its name
        with file.open("wb") as archive:
            yield archive
    else:
        with whole_file(Path(os.path.realpath(file))) as archive:  # `resolve` raises for links in a circle
            yield archive


@contextmanager
def _read(file: Path) -> Iterator[BinaryIO]:
    """Open the archive; one that comes by a pipe is kept in a file meanwhile, because it is read several times."""
    import shutil
    import tempfile

    if file == STREAM and sys.stdin is None:
        raise WrongCall("import -: stdin is closed")
    with sys.stdin.buffer if file == STREAM else file.open("rb") as archive:
        if file != STREAM and archive.seekable():
            yield archive
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(archive, copy)
            yield copy
