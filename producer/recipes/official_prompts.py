"""Prompts of a benchmark, read from a person's own copy of its code; none of their text is in this repository.

Code is parsed, never run: a prompt is a constant of a Python module, or a text in a JSON object.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from db.errors import WrongCall, one_line
from db.prompts import as_literal
from producer.recipes.content import content_of

_STRICT = ConfigDict(extra="forbid", frozen=True)

_Filled = Literal["instruction", "description", "category", "reference_text"]

_SURROGATE = re.compile("[\ud800-\udfff]")

LARGEST = 4 * 1024**2
"""Bytes of a file in which prompts are looked for."""

_LONGEST_TEXT = 1 << 18
"""Characters of a prompt; the official ones have a fiftieth."""

_MOST_CHARACTERS = 4 * LARGEST
"""Of a module's constants together: a text that is joined with itself again and again fills any memory."""


class PromptPart(BaseModel):
    """A piece of a prompt: one of `constants` of a Python module, or the text under one of `keys` of a JSON object.

    `files` are paths within the copy, for versions that have it in different places. Of each, the first that is there
    counts.
    """

    model_config = _STRICT

    files: Annotated[tuple[str, ...], Field(min_length=1)]
    constants: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @field_validator("files")
    @classmethod
    def _lie_within(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        for name in files:
            if not name or PurePath(name).is_absolute() or ".." in PurePath(name).parts:
                raise ValueError(f"{name!r} is no path within a copy of the benchmark's code")
        return files

    @model_validator(mode="after")
    def _names_one_kind(self) -> Self:
        if bool(self.constants) == bool(self.keys):
            raise ValueError("expected either constants of a Python module or keys of a JSON object")
        return self


class OfficialPrompt(BaseModel):
    """A prompt made of parts, a line break between them, and what its places are filled with.

    `fill`: texts such as `<instruction>` that are replaced, wherever they stand; `format`: the names in braces of a
    text that is formatted as `str.format` does. Each of them must be there. With neither, the text is taken as it is.
    """

    model_config = _STRICT

    parts: Annotated[tuple[PromptPart, ...], Field(min_length=1)]
    fill: Mapping[str, _Filled] = {}
    format: Mapping[str, _Filled] = {}

    @model_validator(mode="after")
    def _fills_in_one_way(self) -> Self:
        if self.fill and self.format:
            raise ValueError("a prompt's places are either replaced or formatted")
        return self


class PromptCopy:
    """A folder that holds the benchmark's code. Raises WrongCall where it is none."""

    def __init__(self, folder: Path) -> None:
        if not _is_there(folder, Path.is_dir):
            raise WrongCall(f"--prompts {folder}: is no folder")
        self._folder = folder
        self._read: dict[Path, Mapping[str, object]] = {}

    def template(self, prompt: OfficialPrompt) -> str:
        """Return the prompt as a template that says just what the benchmark's own script would. Raises WrongCall."""
        where, text = self._text(prompt)
        pieces = _formatted(text, prompt.format, where) if prompt.format else _replaced(text, prompt.fill, where)
        return "".join("{{ " + piece + " }}" if is_name else as_literal(piece) for is_name, piece in pieces)

    def _text(self, prompt: OfficialPrompt) -> tuple[str, str]:
        """Return where the prompt's last part stands, and the text of all."""
        found = [self._part(part) for part in prompt.parts]
        return found[-1][0], "\n".join(text for _, text in found)

    def _part(self, part: PromptPart) -> tuple[str, str]:
        path = next((path for name in part.files if _is_there(path := self._folder / name)), None)
        if path is None:
            raise WrongCall(f"--prompts {self._folder}: the recipe looks for {' or '.join(part.files)} there")
        texts = self._texts(path)
        names = part.constants or part.keys
        name = next((name for name in names if name in texts), None)
        kind = "constant" if part.constants else "key"
        if name is None:
            raise WrongCall(f"{path}: has no {kind} {' or '.join(names)} at its top; is it another version?")
        text = texts[name]
        if not isinstance(text, str) or not text.strip():
            raise WrongCall(f"{path}: {kind} {name} is no text, or an empty one")
        if len(text) > _LONGEST_TEXT:
            raise WrongCall(f"{path}: {kind} {name} is longer than {_LONGEST_TEXT:,} characters, as no prompt is")
        if _SURROGATE.search(text) or "\0" in text:
            raise WrongCall(
                f"{path}: {kind} {name} holds a NUL or half of a surrogate pair, which no judge can be sent"
            )
        return f"{path}: {name}", text

    def _texts(self, path: Path) -> Mapping[str, object]:
        if path not in self._read:
            self._read[path] = _constants(path) if path.suffix == ".py" else _members(path)
        return self._read[path]


# -- files -------------------------------------------------------------------------------------------------------------


def _is_there(path: Path, looked_for: Callable[[Path], bool] = Path.exists) -> bool:
    """Tell whether there is such a file or folder. Raises WrongCall where that may not be seen."""
    try:
        return looked_for(path)
    except OSError as error:
        raise WrongCall(one_line(f"--prompts {path}: cannot be read: {error.strerror}")) from error


def _content(path: Path) -> str:
    try:
        return content_of(path, LARGEST, "; it was taken for a file of prompts").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongCall(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from error


def _constants(path: Path) -> Mapping[str, object]:
    """Return the texts that a module's top level gives names to, joined ones too; nothing of it is run."""
    try:
        body = ast.parse(_content(path)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise WrongCall(one_line(f"{path}: is no Python: {error}")) from error
    try:
        return _assigned(body)
    except (OverflowError, RecursionError) as error:
        raise WrongCall(f"{path}: joins more texts than are read") from error


def _assigned(body: Sequence[ast.stmt]) -> Mapping[str, object]:
    """Return what names are given to; raises OverflowError for more text than is kept."""
    found: dict[str, object] = {}
    characters = 0
    for statement in body:
        if isinstance(statement, ast.Assign):
            names = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            text = _constant(statement.value, found)
            characters += len(text) if isinstance(text, str) else 0
            if characters > _MOST_CHARACTERS:
                raise OverflowError
            found.update(dict.fromkeys(names, text))
    return found


def _constant(node: ast.expr, known: Mapping[str, object]) -> object:
    """Return a text that is written out or joined with `+` of such; None for all else, and for one too long."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _constant(node.left, known), _constant(node.right, known)
        if isinstance(left, str) and isinstance(right, str) and len(left) + len(right) <= _LONGEST_TEXT:
            return left + right
    return None


def _members(path: Path) -> Mapping[str, object]:
    try:
        content = json.loads(_content(path))
    except (ValueError, RecursionError) as error:
        raise WrongCall(one_line(f"{path}: is not valid JSON: {error}")) from error
    if not isinstance(content, dict):
        raise WrongCall(f"{path}: expected an object of prompts by name")
    return content


# -- places ------------------------------------------------------------------------------------------------------------

_Pieces = Iterator[tuple[bool, str]]
"""Whether it is a name of what a place is filled with, or else text; and that."""


def _replaced(text: str, fill: Mapping[str, str], where: str) -> _Pieces:
    """Yield the text's pieces. Raises WrongCall where one of the places is not in it."""
    for place in fill:
        if place not in text:
            raise WrongCall(f"{where}: has no {place} for the recipe to fill in; is it another version?")
    while text:
        at, place = min(((text.find(place), place) for place in fill if place in text), default=(len(text), ""))
        if text[:at]:
            yield False, text[:at]
        if place:
            yield True, fill[place]
        text = text[at + len(place) :]


def _formatted(text: str, names: Mapping[str, str], where: str) -> _Pieces:
    """Yield the pieces of a text that is formatted. Raises WrongCall for other fields than the names."""
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise WrongCall(f"{where}: is no text that can be formatted: {error}") from error
    fields = {field for _, field, _, _ in pieces if field is not None}
    if fields != set(names) or any(form or conversion for _, _, form, conversion in pieces):
        found = one_line(", ".join(sorted(fields)) or "none", longest=200)
        raise WrongCall(f"{where}: its fields are {found}, the recipe fills in {', '.join(names)}; another version?")
    for before, field, _, _ in pieces:
        if before:
            yield False, before
        if field is not None:
            yield True, names[field]
