"""What the pages quote, show and count is what there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from db.tables import FailureKind
from tests.docs.pages import PAGES, ROOT, blocks_of

HOWTO = ROOT / "docs" / "howto"
TROUBLESHOOTING = (HOWTO / "troubleshooting.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^> (.+)$", TROUBLESHOOTING, re.MULTILINE)
SHOWN = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
LINKED = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
NAMED = re.compile(r"`((?:benchmarks|db|docker|docs|examples|producer|tests|workers)/[\w/.*-]+)")
LED_TO = re.compile(r"^(?:.+ <)?([\w./-]+)>?$", re.MULTILINE)
"""A line of a toctree, with a title of its own or without."""

TOGETHER = [
    *PAGES,
    *(
        ROOT / name
        for name in ("ARCHITECTURE.md", "CHANGELOG.md", "DECISIONS.md", "SECURITY.md", "benchmarks/RESULTS.md")
    ),
]


@cache
def all_words() -> str:
    """Every text in the code, whole where it stands on several lines, with `...` for what is put in."""
    return "\n".join(text for path in _modules() for text in _texts(ast.parse(path.read_text(encoding="utf-8"))))


def _modules() -> Iterator[Path]:
    yield ROOT / "celeryconfig.py"
    for package in ("db", "producer", "workers"):
        yield from (ROOT / package).rglob("*.py")


def _texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else "..." for one in node.values)


@pytest.mark.parametrize("quoted", QUOTED)
def test_what_troubleshooting_quotes_is_what_the_code_says(quoted: str) -> None:
    assert quoted in all_words()


def test_troubleshooting_says_what_to_do_for_every_kind_of_failure() -> None:
    assert len(QUOTED) > 15
    assert [kind for kind in FailureKind if f"| `{kind}` |" not in TROUBLESHOOTING] == []


@pytest.mark.parametrize(
    ("name", "text"), [one for page in PAGES for one in SHOWN.findall(page.read_text(encoding="utf-8"))]
)
def test_a_file_that_a_page_shows_is_the_file(name: str, text: str) -> None:
    assert text == (ROOT / name).read_text(encoding="utf-8")


def test_a_farm_of_two_hosts_takes_ten_commands() -> None:
    section = [block for block in blocks_of(HOWTO / "several-hosts.md") if "ten commands" not in block.text][:2]

    assert sum(len(block.lines) for block in section) == 10


@pytest.mark.parametrize("page", TOGETHER, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_links_to_files_and_headings_that_are_there(page: Path) -> None:
    linked = [(page.parent / file if file else page, place) for file, place in _links_of(page)]

    assert [file for file, _ in linked if not file.is_file()] == []
    assert [(file, place) for file, place in linked if place and place not in _headings_of(file)] == []


@pytest.mark.parametrize("page", TOGETHER, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_files_that_are_there(page: Path) -> None:
    named = [name.rstrip(".") for name in NAMED.findall(page.read_text(encoding="utf-8"))]

    assert [name for name in named if not any(ROOT.glob(name)) and name != "docker/.env"] == []


def _links_of(page: Path) -> list[tuple[str, str]]:
    return LINKED.findall(_without_code(page))


def _headings_of(page: Path) -> set[str]:
    """Return how a link names the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", _without_code(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _without_code(page: Path) -> str:
    return re.sub(r"^\s*```.*?^\s*```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    trees = re.findall(r"^```\{toctree\}\n(?::.*\n)*\n((?:.+\n)*)```$", index.read_text(encoding="utf-8"), re.MULTILINE)
    led_to = [(index.parent / f"{one}.md").resolve() for tree in trees for one in LED_TO.findall(tree)]

    assert sorted(led_to) == sorted(page for page in TOGETHER if page != index)


def test_pictures_are_small_and_fetch_nothing() -> None:
    pictures = list((ROOT / "docs" / "pictures").iterdir())

    assert {picture.suffix for picture in pictures} == {".webp", ".svg"}
    assert sum(picture.stat().st_size for picture in pictures) < 300_000
    drawn = "".join(one.read_text(encoding="utf-8") for one in pictures if one.suffix == ".svg")
    assert re.findall(r"url\(\S*?:[^)]*\)|href=\S+", drawn) == []
