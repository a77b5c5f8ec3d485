"""Whether a command that a page names is one: its name and its options exist, without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import pairwise

import click
from celery.bin.celery import celery

from db.settings import PREFIX, known_settings
from producer.cli import cli
from tests.docs.pages import ROOT, simple_commands
from workers.__main__ import main as workers

MAKE_TARGETS = {
    target.replace("$(VENV)", ".venv")
    for target in re.findall(r"^([^\s:=]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
}
_GROUPS: dict[str, click.Group] = {"producer": cli, "workers": workers}
_FOLDERS = "benchmarks|db|docker|docs|examples|producer|tests|workers"
_FILE = re.compile(rf"(?<![\w./-])(?:{_FOLDERS})/[\w./-]*\w")


def faults_of(text: str, *, whole: bool = True) -> Iterator[str]:
    """Yield what is wrong with the commands in these lines; without `whole`, arguments and values may be missing."""
    try:
        commands = list(simple_commands(text))
    except ValueError as error:
        yield f"no shell could read it: {error}"
        return
    for words in commands:
        yield from _faults(words, whole)


def missing_files(text: str) -> list[str]:
    """Return the files of the repository that these lines name and that are not there."""
    return [name for name in _FILE.findall(text) if not (ROOT / name).exists() and not re.search(r"[A-Z]{3}", name)]


def unknown_settings(text: str) -> list[str]:
    """Return the settings that a text names and that there are not."""
    return sorted(set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", text)) - _settings())


@cache
def _settings() -> set[str]:
    by_containers = {
        name
        for file in [*(ROOT / "docker").rglob("*"), *ROOT.glob("*.example")]
        if file.is_file()
        for name in re.findall(rf"\b{PREFIX}[A-Z_]+\b", file.read_text(encoding="utf-8", errors="replace"))
    }
    return {PREFIX + name.upper() for name in known_settings()} | by_containers


def _faults(words: list[str], whole: bool) -> Iterator[str]:
    for place, pair in enumerate(pairwise(words)):
        if pair[0] == "-m" and pair[1] in _GROUPS:
            yield from _faults_of_ours(_GROUPS[pair[1]], f"python -m {pair[1]}", words[place + 2 :], whole)
        if words[place] == "celery" and pair[1] in ("-A", "--app"):
            yield from _faults_of_celery(words[place + 3 :])
    if words[:1] == ["make"]:
        targets = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
        yield from (f"make {target}: no such target" for target in targets if target not in MAKE_TARGETS)


def _faults_of_ours(group: click.Group, name: str, given: list[str], whole: bool) -> Iterator[str]:
    words = [word for word in given if word != "..."]
    try:
        _parse(group, name, words)
    except (click.MissingParameter, click.BadParameter) as error:
        if whole and "does not exist" not in error.format_message():
            yield f"{name} {' '.join(words)}: {error.format_message()}"
    except click.exceptions.NoArgsIsHelpError:
        pass
    except click.UsageError as error:
        yield f"{name} {' '.join(words)}: {error.format_message()}"


def _parse(group: click.Group, name: str, words: list[str]) -> None:
    with suppress(click.exceptions.Exit):  # of --help
        context = group.make_context(name, words)
        if rest := [*context._protected_args, *context.args]:
            found, command, arguments = group.resolve_command(context, rest)
            assert command is not None
            command.make_context(found, arguments, parent=context)


def _faults_of_celery(words: list[str]) -> Iterator[str]:
    name = words[0] if words else ""
    command = celery.commands.get(name)
    if command is None:
        yield f"celery has no command {name!r}"
    elif not command.context_settings.get("ignore_unknown_options"):
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        given = [word.partition("=")[0] for word in words[1:] if word.startswith("-")]
        yield from (f"celery {name} has no option {word}" for word in given if word not in known | {"--help"})
