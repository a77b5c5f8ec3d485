"""What the commands write, and where: results to stdout or a file, all else to stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from db.command import SOME_FAILED
from db.errors import WrongCall

if TYPE_CHECKING:
    from db.queries import Progress
    from producer.report.document import Document


def stdout() -> Console:
    """Return where results go."""
    return Console()


def stderr() -> Console:
    """Return where all else goes."""
    return Console(stderr=True)


def print_json(content: object) -> None:
    """Write JSON values; what would act on a terminal, or is no character, is written as JSON escapes it."""
    click.echo(_harmless(json.dumps(content, ensure_ascii=False, indent=2)))


def _harmless(text: str) -> str:
    return "\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def write_document(document: Document, format_name: str, file: Path | None = None) -> None:
    """Write a document to stdout, where it acts on no terminal, or to a file that is whole or not there."""
    if file is not None:
        write_file(file, document.as_text(format_name))
    elif format_name == "table":
        document.print(stdout())
    else:
        text = document.as_text(format_name)
        click.echo(_harmless(text.replace("\r\n", "\n")) if sys.stdout.isatty() else text, nl=False)


def write_file(file: Path, content: str) -> None:
    """Write a file in one step: who reads it sees the old one or the new one. Raises WrongCall where it cannot be."""
    require_file(file)
    unfinished = file.with_name(f".{file.name}.writing")
    try:
        unfinished.write_text(content, encoding="utf-8", newline="")
        unfinished.replace(file)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def require_file(file: Path) -> None:
    """Raise WrongCall where a file of this path cannot be."""
    if not file.name or file.is_dir():
        raise WrongCall(f"-o {file}: is a folder; expected a file")
    if not file.parent.is_dir():
        raise WrongCall(f"-o {file}: there is no folder {file.parent}")


def exit_code(progress: Progress) -> int:
    """Return 0 where every job is done."""
    return 0 if progress.complete else SOME_FAILED
