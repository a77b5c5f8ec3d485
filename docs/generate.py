"""Writes the pages of docs/reference that are made of the code: `make docs` calls it, a test compares what is there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from rich_click import RichArgument

from db.catalogue import EDITORS, SCORERS, ModelSpec
from db.configuration import RunConfiguration
from db.errors import BenchmarkInvalid, FarmError, ServiceUnreachable
from db.settings import PREFIX, Settings, known_settings
from producer.cli import cli
from producer.comparison.schema import Comparison
from producer.doctor.schema import Diagnosis
from producer.farm import FarmEnded
from producer.judge_check.schema import JudgeCheck
from producer.report.schema import Report
from workers.__main__ import main as workers

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- made of the code by `make docs`; a test compares it -->"


def write_pages() -> None:
    """Write every page anew."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


def settings_page() -> str:
    """Return the table of all settings."""
    rows = (
        (f"`{PREFIX}{name.upper()}`", _code(getattr(Settings, name)), setting.description)
        for name, setting in known_settings().items()
    )
    return _page(
        "Settings",
        "Read from the environment and from `.env` in the working folder, where the environment wins. None of them "
        "changes a result: what does is in the [run's configuration](configuration.md).",
        _table(("setting", "default", "meaning"), rows),
    )


def commands_page() -> str:
    """Return every command with its arguments, options and exit codes."""
    producer = (_command(command, f"python -m producer {name}") for name, command in cli.commands.items())
    farm = (_command(command, f"python -m workers {name}") for name, command in workers.commands.items())
    return _page(
        "Commands",
        "Results go to stdout, all else to stderr. `RUN` is a run's id or `latest`. Every command has `--help`. "
        "Workers by hand are Celery's own: `celery -A workers worker -Q edit,score`.",
        "## Exit codes",
        _table(("code", "meaning"), _exit_codes()),
        *producer,
        _command(workers, "python -m workers"),
        *farm,
    )


def models_page() -> str:
    """Return every built-in editor and scorer with its options."""
    sections = []
    for title, catalogue in (("Editors", EDITORS), ("Scorers", SCORERS)):
        names = ((f"`{name}`", spec.summary, spec.licence) for name, spec in catalogue.items())
        kinds = {spec.options: "" for spec in catalogue.values()}
        options = (_options(kind, catalogue) for kind in kinds)
        sections += [f"## {title}", _table(("name", "what it is", "licence of its weights"), names), *options]
    return _page(
        "Models",
        "What `--editor` and `--scorer` may name, beside a folder of weights, a hub id and your own "
        "([editor](../howto/own-editor.md), [scorer](../howto/own-judge.md)). Options are given by "
        "`--set editor.NAME=VALUE` and `--set scorer.NAME=VALUE`, or in the [run's configuration](configuration.md). "
        "`python -m producer models NAME` shows what a name stands for.",
        *sections,
    )


def configuration_page() -> str:
    """Return the keys of a run's configuration."""
    return _page(
        "A run's configuration",
        "What shapes a result: given by flags, or as a YAML file by `--config` ([example](../../examples/run.yaml)); "
        "flags win. All of it is resolved when a run is submitted, defaults written out, and stored with the run.",
        _fields(RunConfiguration.model_json_schema()),
        "`editor` and each of `scorers` is a name, or a mapping of `name`, `label` (what reports call it) and the "
        "[options of that model](models.md).",
    )


def report_page() -> str:
    """Return the fields of every JSON document."""
    sections = []
    for command, model in (
        ("report", Report),
        ("compare", Comparison),
        ("judge-check", JudgeCheck),
        ("doctor", Diagnosis),
    ):
        schema = model.model_json_schema(mode="serialization")
        name = schema["properties"]["schema"]["default"]
        file = f"../schemas/{name.replace('/', '-')}.json"
        sections += [f"## `{command} --json`", f"Schema `{name}` ([as JSON Schema]({file})).", _fields(schema)]
        for title, part in sorted(schema["$defs"].items()):
            if "properties" in part:
                sections += [
                    f"### {title} of `{command}`",
                    part.get("description", ""),
                    _fields({**part, "$defs": schema["$defs"]}),
                ]
    return _page(
        "JSON documents",
        "A field may be added within a version; one that changes its meaning or goes makes the next version. What is "
        "not defined (the mean of nothing) is `null`, never NaN.",
        *sections,
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "models.md": models_page,
    "configuration.md": configuration_page,
    "report.md": report_page,
}


def _page(title: str, *parts: str) -> str:
    return "\n\n".join(part for part in (f"# {title}", MADE, *parts) if part) + "\n"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header)]
    lines += [["---"] * len(lines[0]), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def _code(value: object) -> str:
    return "" if value in (None, "", (), {}) else f"`{value}`"


def _exit_codes() -> Iterator[tuple[str, str]]:
    yield "0", "all done"
    yield "1", "finished, but some jobs failed or were cancelled; `fsck`: something is left that only you can mend"
    yield str(FarmError.exit_code), "wrong call, setting or configuration"
    yield str(ServiceUnreachable.exit_code), "broker, database or the Hub does not answer"
    yield str(BenchmarkInvalid.exit_code), "benchmark invalid; nothing was taken"
    yield str(FarmEnded.exit_code), "no worker stays alive"
    yield "70", "a bug of ours, with its traceback"
    yield "130", "interrupted"


def _command(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    records = (one.get_help_record(context) for one in command.get_params(context) if isinstance(one, click.Option))
    options = [(_names(record[0]), record[1]) for record in records if record is not None and "--help" not in record[0]]
    arguments = [(f"`{one.metavar}`", one.help) for one in command.params if isinstance(one, RichArgument) and one.help]
    rows = [*arguments, *options]
    table = _table(("option", "meaning"), rows) if rows else ""
    text = " ".join((command.help or "").split())
    return "\n\n".join(part for part in (f"## `{name}`", text, f"```text\n{usage}\n```", table) if part)


def _names(declared: str) -> str:
    return f"`{re.sub(r' +', ' ', declared)}`"


def _options(kind: type[BaseModel], catalogue: Mapping[str, ModelSpec]) -> str:
    having = [f"`{name}`" for name, spec in catalogue.items() if spec.options is kind and not spec.preset]
    presets = any(spec.preset for spec in catalogue.values() if spec.options is kind)
    named = ", ".join(having) + (", also under the names of its weights" if presets else "")
    return f"### Options of {named}\n\n{_fields(kind.model_json_schema())}"


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (f"`{name}`", _kind(field, schema.get("$defs", {})), _default(field, name in required), _meaning(field))
        for name, field in schema.get("properties", {}).items()
    ]
    return _table(("field", "is", "default", "meaning"), rows) if rows else "None."


def _kind(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return a field's type in words."""
    if "$ref" in field:
        name = str(field["$ref"]).rpartition("/")[2]
        return _kind(definitions[name], {}) if "enum" in definitions.get(name, {}) else name
    if "anyOf" in field:
        return " or ".join(_kind(one, definitions) for one in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    kind = str(field.get("type", "any"))
    if kind == "array" and isinstance(field.get("items"), Mapping):
        return f"list of {_kind(field['items'], definitions)}"
    return {"array": "list", "object": "mapping"}.get(kind, kind)


def _default(field: Mapping[str, Any], required: bool) -> str:
    if required or "default" not in field or field["default"] in (None, [], {}):
        return ""
    return _code(json.dumps(field["default"], ensure_ascii=False))


def _meaning(field: Mapping[str, Any]) -> str:
    limits = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = [
        f"{words} {one[key]:g}"
        for one in (field, *field.get("anyOf", ()))
        for key, words in limits.items()
        if key in one and one[key] < 2**53
    ]
    return "; ".join(part for part in (str(field.get("description", "")), ", ".join(bounds)) if part)


if __name__ == "__main__":
    write_pages()
