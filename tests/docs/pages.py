"""The pages that a person reads, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md"]
    + [page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts]
)
FENCE = re.compile(r"^\s*```(\w*)")
NOT_RUN = re.compile(r"^\s*<!-- not run: (.+) -->$")
_HERE_DOCUMENT = re.compile(r"^(.*)<<-?\s*['\"]?(\w+)['\"]?(?:.*)\n(?:.*\n)*?\s*\2$", re.MULTILINE)
_ENDS_A_COMMAND = re.compile(r"[;&|()]+")
_LEADS_TO_A_FILE = re.compile(r"[<>]+&?")


@dataclass(frozen=True)
class Block:
    """The commands between two fences; `first` is the number of their first line, from 1."""

    page: Path
    first: int
    lines: tuple[str, ...]
    not_run: str | None

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"{self.page.relative_to(ROOT)}:{self.first}"

    @property
    def text(self) -> str:
        """All of its lines."""
        return "\n".join(self.lines)


def blocks_of(page: Path) -> list[Block]:
    """Return every block of a page that is marked as `sh`."""
    lines = page.read_text(encoding="utf-8").splitlines()
    found, opened = [], None
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence is None:
            continue
        if opened is None:
            opened = (number, fence.group(1))
            continue
        if opened[1] == "sh":
            said = NOT_RUN.match(lines[opened[0] - 1]) if opened[0] else None
            within = tuple(lines[opened[0] + 1 : number])
            found.append(Block(page, opened[0] + 2, within, said.group(1) if said else None))
        opened = None
    return found


def languages_of(page: Path) -> set[str]:
    """Return how the fences of a page say what they hold."""
    marks = [mark for line in page.read_text(encoding="utf-8").splitlines() if (mark := FENCE.match(line))]
    return {mark.group(1) for mark in marks[::2]}


def script_of(page: Path) -> str:
    """Return the commands of a page that are run, each at the line where the page has it; nothing if there are none."""
    lines = [""] * len(page.read_text(encoding="utf-8").splitlines())
    for block in blocks_of(page):
        if block.not_run is None:
            lines[block.first - 1 : block.first - 1 + len(block.lines)] = block.lines
    return "\n".join(lines).rstrip() + "\n" if any(lines) else ""


def simple_commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in lines of shell; where output goes is left out. Raises ValueError."""
    for line in _HERE_DOCUMENT.sub(r"\1", text).replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        tokens = iter(lexer)
        for token in tokens:
            if _LEADS_TO_A_FILE.fullmatch(token):
                next(tokens, None)
            elif _ENDS_A_COMMAND.fullmatch(token):
                yield words
                words = []
            else:
                words.append(token)
        yield words
