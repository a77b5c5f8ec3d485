"""The catalogue as a person reads it: which editors and scorers there are, and what each name stands for."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from db.catalogue import ModelSpec, Role, find_spec, known_names
from db.errors import WrongCall


def models_data() -> list[dict[str, Any]]:
    """Return role, name, summary and licence of every editor and scorer."""
    return [
        {"role": role.value, "name": name, "summary": spec.summary, "licence": spec.licence or None}
        for role in Role
        for name, spec in _specs(role)
    ]


def model_data(name: str) -> list[dict[str, Any]]:
    """Return what this name stands for: once, or twice where an editor and a scorer share it. Raises WrongCall."""
    found = [(role, spec) for role in Role for known, spec in _specs(role) if known == name]
    if not found:
        raise WrongCall(f"no editor or scorer is called {name!r}; `python -m producer models` lists them")
    return [
        {
            "role": role.value,
            "name": name,
            "summary": spec.summary,
            "licence": spec.licence or None,
            "options": _options_data(spec),
        }
        for role, spec in found
    ]


def models_table() -> Table:
    """Return the catalogue, one row per name."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("", "name", "what it is"):
        table.add_column(column, overflow="fold")
    for model in models_data():
        about = Text(model["summary"])
        if model["licence"]:
            about.append(f"  {model['licence']}", style="dim")
        table.add_row(model["role"], model["name"], about)
    return table


def options_table(name: str) -> Group:
    """Return every option of this name with its value and meaning. Raises WrongCall."""
    parts: list[Any] = []
    for model in model_data(name):
        title = f"{model['role']} {model['name']}: {model['summary']}"
        parts.append(Text(title + (f" ({model['licence']})" if model["licence"] else ""), style="bold"))
        table = Table(box=box.SIMPLE_HEAD)
        for column in ("option", "value", "meaning"):
            table.add_column(column, overflow="fold")
        for option in model["options"]:
            table.add_row(option["name"], Text(json.dumps(option["value"], ensure_ascii=False)), option["meaning"])
        parts.append(table)
    return Group(*parts)


def _specs(role: Role) -> list[tuple[str, ModelSpec]]:
    return [(name, find_spec(role, name)) for name in known_names(role)]


def _options_data(spec: ModelSpec) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "value": spec.preset.get(name, None if field.is_required() else field.get_default()),
            "meaning": field.description,
        }
        for name, field in spec.options.model_fields.items()
    ]
