"""What is installed beside us: asked for where it is used, used where it is asked for, and free to be passed on."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, distributions, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.farm.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"db", "producer", "workers", "celeryconfig"}
COMES_WITH = {
    "billiard": "celery",
    "kombu": "celery",
    "tornado": "flower",
    "markupsafe": "jinja2",
    "tokenizers": "transformers",
    "httpx2": "openai",
}
"""What is imported though only another package asks for it, which is made of it and will not do without."""

IMPORTED_BY_NOBODY = {
    "flower": "Celery's dashboard, a command",
    "accelerate": "transformers and diffusers load weights by it",
    "peft": "diffusers loads LoRA by it",
    "psycopg": "SQLAlchemy's driver",
    "s3fs": "fsspec's driver",
}


def required(*groups: Iterable[str]) -> dict[str, Requirement]:
    found = [Requirement(text) for group in groups for text in group]
    return {canonicalize_name(one.name): one for one in found}


CORE = required(PROJECT["dependencies"])
ALL = required(
    PROJECT["dependencies"], *(texts for name, texts in PROJECT["optional-dependencies"].items() if name != "dev")
)


def imported() -> set[str]:
    """Return the distributions of which our code imports anything, wherever in a file it does."""
    owners = packages_distributions()
    names = {name for path in sources() for name in names_in(path)} - OURS - set(sys.stdlib_module_names)
    return {canonicalize_name(owners[name][0]) for name in names if name in owners}


def sources() -> Iterator[Path]:
    for folder in ("db", "producer", "workers"):
        yield from (ROOT / folder).rglob("*.py")
    yield ROOT / "celeryconfig.py"


def names_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def everything_of(wanted: Iterable[Requirement]) -> set[str]:
    """Return all that an install of these brings along on this machine."""
    found: set[str] = set()
    todo = [(one, extra) for one in wanted for extra in ("", *one.extras)]
    seen: set[tuple[str, str]] = set()
    while todo:
        one, extra = todo.pop()
        name = canonicalize_name(one.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        found.add(name)
        inner = [Requirement(text) for text in distribution(name).requires or ()]
        chosen = [each for each in inner if each.marker is None or each.marker.evaluate({"extra": extra})]
        todo += [(each, more) for each in chosen for more in ("", *each.extras)]
    return found


def licence_of(name: str) -> str:
    """Return what a package says of its licence in the fields that are short: the texts themselves name many."""
    told = distribution(name).metadata
    short = [told["License-Expression"] or "", *(told.get_all("Classifier") or ())]
    return " ".join(line for line in short if line and ("License" in line or "::" not in line))


def test_what_is_imported_is_asked_for() -> None:
    assert {COMES_WITH.get(name, name) for name in imported()} - set(ALL) == set()


def test_what_is_asked_for_is_imported() -> None:
    there = {canonicalize_name(one.metadata["Name"]) for one in distributions()}

    assert (there & set(ALL)) - imported() - set(IMPORTED_BY_NOBODY) == set()


def test_nothing_of_a_plain_install_is_under_the_gpl() -> None:
    licences = {name: licence_of(name) for name in everything_of(CORE.values())}

    assert {name: said for name, said in licences.items() if "GPL" in said or "General Public" in said} == {}
