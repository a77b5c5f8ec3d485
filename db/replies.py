"""Reads a judge's reply: JSON first, then `Score: 8.5` and `8/10`. Never a number that the judge did not say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from db.aggregate import Aggregate, CriterionMissing
from db.errors import one_line

REASONING = ("reasoning", "reason", "explanation", "rationale", "analysis")

# A number with all that belongs to it, so that the 5 of "8,5" is none, and the scale that is said behind it. No
# possessive quantifiers: Python 3.11.2 reads some of them wrongly. Spaces are bounded, so that no reply takes long.
_NUMBER = r"(?P<value>[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?)(?!\d|[.,]\d|[eE][-+]?\d)"
_MARKS = r"[\"'*_\s]{0,20}"
_SCALE = rf"(?:分?{_MARKS}[(（]?\s{{0,5}}(?:/|out\s{{1,5}}of|满分)\s{{0,5}}(?P<scale>\d+(?:\.\d+)?)(?!\.?\d))?"
_NOT_MORE = r"(?![ \t]{0,5}(?:[-–—~～/]|to|or|到|至|或)[ \t]{0,5}\d|[ \t]{0,5}[%％])"  # a range, a date, a share
_LABELLED = re.compile(
    rf"(?:\bscore\b|评分|得分|分数|打分){_MARKS}(?:\bis\b|[:：=为是]){_MARKS}{_NUMBER}{_SCALE}{_NOT_MORE}",
    re.IGNORECASE,
)
_OF_A_SCALE = re.compile(rf"(?<![\d.,/+-])(?<!\d[eE]){_NUMBER}{_SCALE}{_NOT_MORE}", re.IGNORECASE)
_NUMBER_ALONE = re.compile(rf"\s*{_NUMBER}{_SCALE}\s*")
_PLAIN = re.compile(r"[-+]?\d+(?:\.\d+)?")
_RANGE_BEFORE = re.compile(r"\d[ \t]*(?:[-–—~～]|to|or|到|至|或)[ \t]*$")
_OPENING = re.compile(r"\s*(?:```(?:json)?\s*)?{")

_SHOWN_VALUES = 10


class Unreadable(Exception):
    """A reply that holds no score that can be read; the message says why. Who has the reply keeps it."""


@dataclass(frozen=True)
class Verdict:
    """What a judge said: its overall score in [0, 10], what it gave each criterion, and why.

    `said` is what the judge itself called the score, where an aggregate of its criteria counts instead.
    """

    value: float
    criteria: Mapping[str, float] = field(default_factory=dict)
    reasoning: str = ""
    said: float | None = None

    def detail(self) -> dict[str, object]:
        """Return what is kept beside the score."""
        said = {} if self.said is None else {"said": self.said}
        return {"reasoning": self.reasoning, "criteria": dict(self.criteria), **said}


def read_reply(reply: str, *, cut_off: bool = False, aggregate: Aggregate | None = None) -> Verdict:
    """Return the verdict of a reply; `cut_off` when the judge was stopped before it had ended.

    Of several JSON objects with a `score` the last counts. A text must name one score: several that differ are none.
    With an `aggregate` the score is made of the criteria, and need not be in the reply. Raises Unreadable for what
    holds no score from 0 to 10.
    """
    answer = without_thinking(reply)
    if cut_off and not _OPENING.match(answer):
        raise Unreadable("the reply was cut off before its score")
    objects = [one for one in json_objects(answer) if _may_be_a_verdict(one, with_a_score=aggregate is None)]
    complete = [one for one in objects if aggregate is not None and (aggregate.names or set()) <= one.keys()]
    if objects:
        return _from_json((complete or objects)[-1], aggregate)
    if cut_off:
        raise Unreadable("the reply was cut off within its JSON")
    if aggregate is not None:
        raise Unreadable("the reply gives no criteria, of which the score is made")
    return _from_text(answer)


def without_thinking(reply: str) -> str:
    """Return what follows the thinking; some chat templates open it themselves, so only its end may be there."""
    _, end, answer = reply.rpartition("</think>")
    if not end and "<think>" in reply:
        raise Unreadable("the reply was cut off while the judge was thinking")
    return answer


def json_objects(text: str) -> Iterator[dict[str, object]]:
    """Yield the outermost JSON objects of a text; one within a broken object is not the reply's."""
    decoder = json.JSONDecoder(strict=False)  # judges put bare line breaks into strings
    depth, start = 0, text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start) if depth == 0 else (None, start + 1)
        except (ValueError, RecursionError):
            value, end = None, start + 1
        if isinstance(value, dict):
            yield value
        following = text.find("{", end)
        if value is None:
            depth = max(0, depth + 1 - text.count("}", end, following if following >= 0 else len(text)))
        start = following


def _may_be_a_verdict(said: Mapping[str, object], *, with_a_score: bool) -> bool:
    return "score" in said if with_a_score else any(map(_is_number, said.values()))


def _from_json(said: Mapping[str, object], aggregate: Aggregate | None) -> Verdict:
    criteria = {name: _on_scale(value, name) for name, value in said.items() if name != "score" and _is_number(value)}
    reasons = [said[name] for name in REASONING if isinstance(said.get(name), str)]
    reasoning = str(reasons[0]) if reasons else ""
    own = _on_scale(said["score"], "score") if "score" in said else None
    if aggregate is not None:
        return Verdict(_aggregated(criteria, aggregate), criteria, reasoning, said=own)
    if own is None:
        raise Unreadable("the reply names no score")
    return Verdict(own, criteria, reasoning)


def _aggregated(criteria: Mapping[str, float], aggregate: Aggregate) -> float:
    try:
        return aggregate.of(criteria)
    except CriterionMissing as missing:
        raise Unreadable(f"the reply gives {one_line(str(missing), longest=500)}") from missing


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _from_text(text: str) -> Verdict:
    said = {_on_ten(match) for match in _LABELLED.finditer(text)} or {
        _on_ten(match) for match in _OF_A_SCALE.finditer(text) if _is_of_ten(match)
    }
    if len(said) > 1:
        values = ", ".join(f"{value:g}" for value in sorted(said)[:_SHOWN_VALUES])
        raise Unreadable(f"the reply names several scores: {values}{', ...' if len(said) > _SHOWN_VALUES else ''}")
    if not said:
        raise Unreadable("the reply names no score")
    return Verdict(said.pop(), reasoning=text.strip())


def _is_of_ten(match: re.Match[str]) -> bool:
    before = match.string[max(0, match.start() - 20) : match.start()]
    return match["scale"] is not None and float(match["scale"]) == 10 and not _RANGE_BEFORE.search(before)


def _on_scale(value: object, name: str) -> float:
    number = _NUMBER_ALONE.fullmatch(value) if isinstance(value, str) else None
    if number is not None and _PLAIN.fullmatch(number["value"]):
        return _on_ten(number)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"the reply's {short(name)} is {shown(value)}, which is no number")
    if not 0 <= value <= 10:  # NaN and the infinities are not either
        raise Unreadable(f"the reply's {short(name)} is {short(str(value))}, which is not from 0 to 10")
    return float(value)


def _on_ten(match: re.Match[str]) -> float:
    if not _PLAIN.fullmatch(match["value"]):
        raise Unreadable("the reply names no score")
    if match["scale"] is not None and float(match["scale"]) != 10:
        said, scale = short(match["value"]), short(match["scale"])
        raise Unreadable(f"the reply's score is {said} of {scale}, which is not from 0 to 10")
    return _on_scale(float(match["value"]), "score")


def shown(value: object) -> str:
    """Return what a judge gave in place of a number, for a complaint."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return short(json.dumps(value))


def short(words: str) -> str:
    """Return a judge's words for a complaint: it may call a criterion anything."""
    return one_line(words, longest=80)
