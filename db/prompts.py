"""A judge's prompts: templates checked at submit, chosen by category, rendered for a sample.

Templates are Jinja2 in its sandbox, strict about names: `instruction`, `description`, `category`, `key`,
`has_reference`, `reference_text`, `source_count`, and the first scripts' `edit_instruction` and `original_description`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from string import Formatter
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.categories import ENGLISH_ALIASES
from db.errors import first_line

if TYPE_CHECKING:
    from jinja2 import Environment, Template
    from jinja2.nodes import Node


class JudgePrompt(BaseModel):
    """What a judge is asked, as templates; one that cannot be rendered is refused when it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str = ""
    user: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _renders(self) -> Self:
        for part, text in (("system", self.system), ("user", self.user)):
            _check(part, text)
        return self


@dataclass(frozen=True)
class PromptSubject:
    """What of a sample a prompt may speak of."""

    key: str
    category: str
    instruction: str
    description: str | None
    has_reference: bool
    reference_text: str | None = None
    source_count: int = 1

    def names(self) -> dict[str, object]:
        """Return the names that a template may use, with their values."""
        description = self.description or ""
        return {
            "key": self.key,
            "category": self.category,
            "instruction": self.instruction,
            "edit_instruction": self.instruction,
            "description": description,
            "original_description": description,
            "has_reference": self.has_reference,
            "reference_text": self.reference_text or "",
            "source_count": self.source_count,
        }


@dataclass(frozen=True)
class OwnPrompt:
    """What a benchmark wants a category's judge to be asked, as its file has it, and where that stands."""

    place: str
    system: str | None
    user: str | None


def prompts_as_json(own: Mapping[str, OwnPrompt]) -> dict[str, Any]:
    """Return a benchmark's own prompts as a run keeps them."""
    return {category: {"system": prompt.system, "user": prompt.user} for category, prompt in own.items()}


def prompts_from_json(kept: Mapping[str, Any]) -> dict[str, OwnPrompt]:
    """Return them again; where they stood in the file is not kept."""
    return {category: OwnPrompt(f"category {category!r}", **texts) for category, texts in kept.items()}


@dataclass(frozen=True)
class RenderedPrompt:
    """What the judge reads; `system` may be empty."""

    system: str
    user: str


_SUBJECTS = [
    PromptSubject("key", "category", "instruction", text, has_reference, text, source_count)
    for text, has_reference, source_count in product(("text", None), (True, False), (1, 2))
]


def prompt_of(prompts: Mapping[str, JudgePrompt], category: str) -> JudgePrompt:
    """Return the category's prompt, also by its English or Chinese alias, else the `default`."""
    return prompts[next((name for name in names_of(category) if name in prompts), "default")]


def names_of(category: str) -> list[str]:
    """Return the names under which a category's prompt may stand, the first that does counting."""
    names = (category, ENGLISH_ALIASES.get(category), _CHINESE.get(category.lower()))
    return [name for name in names if name is not None]


def render_prompt(prompt: JudgePrompt, subject: PromptSubject) -> RenderedPrompt:
    """Fill the templates in."""
    names = subject.names()
    return RenderedPrompt(_template(prompt.system).render(names), _template(prompt.user).render(names))


def benchmark_prompt(system: str | None, user: str | None, *, otherwise: JudgePrompt) -> JudgePrompt:
    """Return a benchmark's own prompt as templates; what it does not bring is taken from `otherwise`.

    A text with single-brace fields (`{edit_instruction}`) is read as Python's format strings are, as the first scripts
    wrote them. A user prompt that names no instruction gets it in front. Raises ValueError, also for a template that
    does more than name and choose: whoever submits a benchmark has not written it.
    """
    own_system = otherwise.system if system is None else _plain_template("system", system)
    if user is None:
        return JudgePrompt(system=own_system, user=otherwise.user)
    own_user = _plain_template("user", user)
    if not _speaks_of_the_instruction(own_user):
        own_user = "Instruction: {{ instruction }}\n\n" + own_user
    return JudgePrompt(system=own_system, user=own_user)


_NAMES = tuple(_SUBJECTS[0].names())
_CHINESE = {english: chinese for chinese, english in ENGLISH_ALIASES.items()}
_FORMAT_FIELD = re.compile(rf"(?<!{{)(?:{{{{)*{{(?:{'|'.join(_NAMES)})}}")  # behind braces in pairs, if any


@cache
def _environment() -> Environment:
    from jinja2 import StrictUndefined  # not loaded by a worker's parent, which renders nothing
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return _environment().from_string(text)


def _check(part: str, text: str) -> None:
    """Render the template for samples of every kind. Raises ValueError that says what is wrong with it."""
    from jinja2 import TemplateError, UndefinedError

    try:
        for unknown in sorted(_names_in(text) - set(_NAMES)):
            raise UndefinedError(f"{unknown!r} is undefined")  # rendering finds it only in samples that come to it
        for subject in _SUBJECTS:
            _template(text).render(subject.names())
    except TemplateError as error:
        reason, names = first_line(error), ", ".join(_NAMES)
        raise ValueError(f"the {part} prompt is no usable template: {reason}; it may name {names}") from error
    except Exception as error:  # a template may compute anything: what that raises is its own fault
        raise ValueError(f"the {part} prompt cannot be rendered: {first_line(error)}") from error


_PLAIN_NODES = frozenset(
    {
        *("Template", "Output", "TemplateData", "Const", "Name", "List", "Tuple", "Filter", "Test"),
        *("If", "CondExpr", "Compare", "Operand", "And", "Or", "Not"),
    }
)
"""What a template of a benchmark may be made of: no loops, calls or arithmetic, which can take for ever."""

_PLAIN_FILTERS = frozenset({"capitalize", "d", "default", "length", "lower", "title", "trim", "upper"})
"""Filters whose result is about as long as what they are given."""

_DEEPEST = 40
"""Levels of nesting; Python's own limit is nearer in a worker, which has more on its stack than a submission."""


def _plain_template(part: str, text: str) -> str:
    """Return a benchmark's own text as a template. Raises ValueError."""
    from jinja2 import TemplateSyntaxError

    template = _as_template(text)
    try:
        level: list[Node] = [_environment().parse(template)]
    except TemplateSyntaxError:
        return template  # making the prompt says what is wrong with it
    except RecursionError as error:
        raise ValueError(f"the {part} prompt is nested too deep") from error
    for _ in range(_DEEPEST):
        _require_plain(part, level)
        level = [child for node in level for child in node.iter_child_nodes()]
    if level:
        raise ValueError(f"the {part} prompt is nested too deep; at most {_DEEPEST} levels are taken")
    return template


def _require_plain(part: str, found: Sequence[Node]) -> None:
    from jinja2 import nodes

    for node in found:
        kind = type(node).__name__
        if kind not in _PLAIN_NODES or (isinstance(node, nodes.Filter) and node.name not in _PLAIN_FILTERS):
            named = f"the filter {node.name!r}" if isinstance(node, nodes.Filter) else kind
            raise ValueError(
                f"the {part} prompt of a benchmark may name fields and choose with `if`; {named} is not taken"
            )


def _as_template(text: str) -> str:
    """Turn a format string into a template; a text without its fields is one already. Raises ValueError."""
    if not _FORMAT_FIELD.search(text):
        return text
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"it reads like a format string, but {error}") from error
    template, literal = "", ""
    for text_before, field, form, conversion in pieces:
        literal += text_before
        if field is not None:
            if field not in _NAMES or form or conversion:
                raise ValueError(
                    f"it reads like a format string, and {{{field}}} is none of its fields ({', '.join(_NAMES)}); "
                    "braces that are meant as such are doubled there"
                )
            template, literal = template + _quoted(literal) + "{{ " + field + " }}", ""
    return template + _quoted(literal)


def as_literal(text: str) -> str:
    """Return a template that says just this text, whatever is in it, white space at its end included."""
    return "{{ " + json.dumps(text, ensure_ascii=False) + " }}"


def _quoted(literal: str) -> str:
    """Return the text as a template that says just this: braces might join into a template's marks."""
    return as_literal(literal) if "{" in literal or "}" in literal else literal


def _names_in(template: str) -> set[str]:
    from jinja2 import meta

    return meta.find_undeclared_variables(_environment().parse(template))


def _speaks_of_the_instruction(template: str) -> bool:
    from jinja2 import TemplateError

    try:
        return bool(_names_in(template) & {"instruction", "edit_instruction"})
    except TemplateError:
        return True  # making the prompt says what is wrong with it
