"""Reads the answer to one question of a rubric, in the form that its prompt asks for. Never a number that was not said.

Official scripts are more forgiving, and some of them guess: what cannot be read here is a failure with its reply kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.replies import REASONING, Unreadable, json_objects, short, shown, without_thinking
from db.rubric import AnswerForm, Criterion

_NUMBER = r"(?P<value>[-+]?\d+(?:\.\d+)?)"
_BEHIND = r"(?!\d|[.,]\d)(?:\s{0,5}/\s{0,5}(?P<of>\d+)(?!\.?\d))?"
_MARKS = r"[\"'*_`\s]{0,20}"

_LINE = re.compile(rf"\s*(?P<label>[^:：]{{1,200}})[:：]{_MARKS}{_NUMBER}{_BEHIND}{_MARKS}\.?\s*")
"""A line that is a label and a number; a line that says more behind its number is none."""

_MORE = re.compile(rf"{_MARKS}(?:,|，|;|and|\n)?{_MARKS}{_NUMBER}{_BEHIND}", re.IGNORECASE)

_PLACE = re.compile(r"(?P<key>[^\[\]]+)(?:\[(?P<index>\d+)\])?")


@dataclass(frozen=True)
class RubricAnswer:
    """What a judge gave each criterion of one question, and why."""

    criteria: Mapping[str, float] = field(default_factory=dict)
    reasoning: str = ""


def read_answer(reply: str, form: AnswerForm, *, cut_off: bool = False) -> RubricAnswer:
    """Return the answer of a reply; `cut_off` when the judge was stopped before it had ended.

    Raises Unreadable where a criterion is not there, is there with different numbers, or is not on its scale.
    """
    text = without_thinking(reply)
    try:
        return _READERS[form.form](text, form)
    except Unreadable as fault:
        if cut_off:
            raise Unreadable(f"{fault}; it was cut off") from fault
        raise


# -- JSON --------------------------------------------------------------------------------------------------------------


def _from_json(text: str, form: AnswerForm) -> RubricAnswer:
    """Read the last object that has every criterion; where none is whole, each field as it stands in the text."""
    whole = [one for one in json_objects(text) if all(_at(one, each.at) is not None for each in form.criteria)]
    if not whole:
        return RubricAnswer({each.name: _on_scale(_named_in(text, each), each) for each in form.criteria})
    said = whole[-1]
    reasons = [said[name] for name in said if _is_reasoning(name) and isinstance(said[name], str)]
    criteria = {each.name: _on_scale(_at(said, each.at), each) for each in form.criteria}
    return RubricAnswer(criteria, "\n".join(map(str, reasons)))


def _is_reasoning(name: str) -> bool:
    return name in REASONING or name.endswith(("_reasoning", "_reason"))


def _at(said: Mapping[str, Any], place: str) -> Any:
    """Return what stands at a place such as `score[1]`; a lone number is the first of its list."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return None
    value = said.get(found["key"])
    if found["index"] is None:
        return value
    values = value if isinstance(value, list) else [value]
    return values[int(found["index"])] if int(found["index"]) < len(values) else None


def _named_in(text: str, criterion: Criterion) -> str:
    """Return the number that the text names for a criterion, for judges whose JSON is broken.

    Raises Unreadable where there is none, or several that differ.
    """
    found = _PLACE.fullmatch(criterion.at)
    key, index = (found["key"], found["index"]) if found else (criterion.at, None)
    name = rf"(?<!\w){re.escape(key)}{_MARKS}[:：=]{_MARKS}"
    if index is None:
        said = {match["value"] for match in re.finditer(rf"{name}{_NUMBER}{_BEHIND}", text, re.IGNORECASE)}
    else:
        lists = re.finditer(rf"{name}\[([-+\d.,\s]{{1,200}})\]", text, re.IGNORECASE)
        numbers = [[one.strip() for one in match[1].split(",")] for match in lists]
        said = {several[int(index)] for several in numbers if int(index) < len(several)}
    if len(said) == 1:
        return said.pop()
    raise Unreadable(f"the reply gives {len(said) or 'no'} {'different ' if said else ''}{short(criterion.at)}")


# -- text --------------------------------------------------------------------------------------------------------------


def _from_lines(text: str, form: AnswerForm) -> RubricAnswer:
    """Read the lines that are a label and a number; there must be just as many as criteria."""
    lines = text.splitlines()
    found = [match for line in lines if (match := _LINE.fullmatch(line))]
    if len(found) != len(form.criteria):
        raise Unreadable(f"the reply has {len(found)} lines with a number, where {len(form.criteria)} are asked for")
    criteria = {each.name: _of(match, each) for match, each in zip(found, form.criteria, strict=True)}
    reasoning = "\n".join(line for line in lines if line.strip() and not _LINE.fullmatch(line))
    return RubricAnswer(criteria, reasoning)


def _from_label(text: str, form: AnswerForm) -> RubricAnswer:
    """Read the numbers behind the label; where it is said several times, all must say the same."""
    label = re.compile(rf"{re.escape(form.label)}s?{_MARKS}(?:[:：=]|\bis\b)?{_MARKS}{_NUMBER}{_BEHIND}", re.IGNORECASE)
    said = [list(_numbers_from(match, len(form.criteria))) for match in label.finditer(text)]
    if not said:
        raise Unreadable(f"the reply gives no {short(form.label)}")
    if any(len(numbers) != len(form.criteria) for numbers in said):
        raise Unreadable(
            f"the reply gives fewer numbers behind {short(form.label)} than the {len(form.criteria)} asked"
        )
    answers = [{each.name: _of(one, each) for one, each in zip(given, form.criteria, strict=True)} for given in said]
    if any(answer != answers[0] for answer in answers):
        raise Unreadable(f"the reply gives several {short(form.label)} that differ")
    return RubricAnswer(answers[0], label.split(text, 1)[0].strip())


def _numbers_from(first: re.Match[str], count: int) -> Iterator[re.Match[str]]:
    match: re.Match[str] | None = first
    for _ in range(count):
        if match is None:
            return
        yield match
        match = _MORE.match(first.string, match.end())


# -- numbers -----------------------------------------------------------------------------------------------------------


def _of(match: re.Match[str], criterion: Criterion) -> float:
    if match["of"] is not None and float(match["of"]) != criterion.scale[1]:
        raise Unreadable(f"the reply's {short(criterion.name)} is {match['value']} of {short(match['of'])}")
    return _on_scale(match["value"], criterion)


def _on_scale(value: object, criterion: Criterion) -> float:
    least, most = criterion.scale
    number = _number(value)
    if number is None:
        raise Unreadable(f"the reply's {short(criterion.name)} is {shown(value)}, which is no number")
    if not least <= number <= most:  # NaN and the infinities are not either
        said = f"{short(str(value))}, which is not from {least:g} to {most:g}"
        raise Unreadable(f"the reply's {short(criterion.name)} is {said}")
    return number


def _number(value: object) -> float | None:
    if isinstance(value, str):
        match = re.fullmatch(rf"\s{{0,20}}{_NUMBER}\s{{0,20}}", value)
        return float(match["value"]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number may have any length
        return None


_READERS: Mapping[str, Callable[[str, AnswerForm], RubricAnswer]] = {
    "json": _from_json,
    "lines": _from_lines,
    "labelled": _from_label,
}


def joined(reasons: Sequence[tuple[str, str]]) -> str:
    """Return what a judge said to several questions as one text, each behind its question's name."""
    said = [(name, reasoning) for name, reasoning in reasons if reasoning]
    return said[0][1] if len(reasons) == 1 and said else "\n".join(f"{name}: {reasoning}" for name, reasoning in said)
