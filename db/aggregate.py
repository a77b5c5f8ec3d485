"""How what a judge gave each criterion becomes one score: read once, checked when asked, safe to compute.

An expression may name criteria and numbers, add, subtract and multiply, divide by numbers, and call `min`, `max`,
`mean` and `sqrt`; nothing of it is ever evaluated by Python.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from statistics import fmean

_Numbers = Sequence[float]

_OVER_ALL: Mapping[str, Callable[[_Numbers], float]] = {
    "mean": fmean,
    "min": min,
    "geometric-mean": lambda values: 10 * math.prod(value / 10 for value in values) ** (1 / len(values)),
}
"""Aggregates that take whatever criteria there are, by the word that stands for them."""

_FUNCTIONS: Mapping[str, Callable[[_Numbers], float]] = {"min": min, "max": max, "mean": fmean}
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

_LONGEST = 1000
_DEEPEST = 50

_LARGEST = 1e6
"""Of the numbers in an expression."""

_ROUNDING = 1e-9
"""By so much weights that sum to 1 may miss the end of the scale."""


class CriterionMissing(Exception):
    """A criterion that the score is made of was not given; the message names it."""


@dataclass(frozen=True)
class Aggregate:
    """One way from criteria to a score; `names` are the criteria it is made of, None: whatever there are."""

    text: str
    names: frozenset[str] | None
    scale: tuple[float, float]
    _compute: Callable[[Mapping[str, float]], float]

    def of(self, criteria: Mapping[str, float]) -> float:
        """Return the score, on the scale of the criteria. Raises CriterionMissing."""
        missing = sorted((self.names or frozenset()) - criteria.keys())
        if missing:
            given = ", ".join(sorted(criteria)) or "none"
            raise CriterionMissing(f"no criterion {missing[0]!r}, of which the score is made ({given} given)")
        if not criteria:
            raise CriterionMissing("no criteria, of which the score is made")
        least, most = self.scale
        return min(most, max(least, self._compute(criteria)))


@lru_cache(maxsize=64)
def read_aggregate(text: str, least: float = 0, most: float = 10) -> Aggregate:
    """Return what the text stands for: `mean`, `min`, `geometric-mean` (over all criteria), or an expression.

    Raises ValueError where it is none, or where criteria within the scale could give a score outside of it.
    """
    text = text.strip()
    if text in _OVER_ALL:
        return Aggregate(text, None, (least, most), lambda criteria: _OVER_ALL[text](list(criteria.values())))
    tree = _parsed(text)
    reach = _Reach(least, most)
    low, high = reach.of(tree)
    if low < least - _ROUNDING or high > most + _ROUNDING:
        raise ValueError(
            f"{text!r} can give {low:g} to {high:g}, which is not within {least:g} to {most:g}: "
            'weights may sum to 1 at most, and a name with a hyphen or a space is written in quotes, as "edit quality"'
        )
    if not reach.names:
        raise ValueError(f"{text!r} names no criterion")
    return Aggregate(text, frozenset(reach.names), (least, most), lambda criteria: _value(tree, criteria))


def _parsed(text: str) -> ast.expr:
    try:
        if len(text) > _LONGEST:
            raise ValueError(f"an aggregate has at most {_LONGEST:,} characters")
        tree = ast.parse(text, mode="eval").body
        _require_shallow(tree)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is neither {', '.join(_OVER_ALL)} nor an expression of criteria") from error
    return tree


def _require_shallow(tree: ast.AST) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ValueError(f"an aggregate is nested at most {_DEEPEST} levels deep")


class _Reach:
    """Finds between which numbers an expression lies for all criteria within the scale; checks its parts on the way."""

    def __init__(self, least: float, most: float) -> None:
        self._scale = (least, most)
        self.names: set[str] = set()

    def of(self, node: ast.expr) -> tuple[float, float]:
        """Return the least and the greatest number. Raises ValueError for a part that is not allowed."""
        if (name := _name_of(node)) is not None:
            self.names.add(name)
            return self._scale
        if (number := _number_of(node)) is not None:
            return number, number
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return self._of_operation(node)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        raise ValueError(f"{ast.unparse(node)!r} is nothing that an aggregate is made of: {_MADE_OF}")

    def _of_operation(self, node: ast.BinOp) -> tuple[float, float]:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Div) and (_number_of(node.right) or 0) == 0:
            raise ValueError(f"{ast.unparse(node)!r} divides by something else than a number that is not 0")
        ends = [_OPERATORS[type(node.op)](one, other) for one, other in product(left, right)]
        return min(ends), max(ends)

    def _of_call(self, node: ast.Call) -> tuple[float, float]:
        called = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if called not in (*_FUNCTIONS, "sqrt"):
            raise ValueError(f"{called!r} is no function of an aggregate: {_MADE_OF}")
        if not node.args or node.keywords or (called == "sqrt" and len(node.args) > 1):
            raise ValueError(f"{ast.unparse(node)!r} calls {called} with something else than it takes")
        lows, highs = zip(*map(self.of, node.args), strict=True)
        if called != "sqrt":
            return _FUNCTIONS[called](lows), _FUNCTIONS[called](highs)
        if lows[0] < 0:
            raise ValueError(f"{ast.unparse(node)!r} can come to the root of a number below 0")
        return math.sqrt(lows[0]), math.sqrt(highs[0])


_MADE_OF = "names, numbers, + - *, / by a number, min, max, mean, sqrt"


def _value(node: ast.expr, criteria: Mapping[str, float]) -> float:
    """Compute an expression that was checked, of criteria that are all there."""
    if (name := _name_of(node)) is not None:
        return criteria[name]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, criteria), _value(node.right, criteria))
    if isinstance(node, ast.Call):
        called, values = ast.unparse(node.func), [_value(argument, criteria) for argument in node.args]
        return math.sqrt(values[0]) if called == "sqrt" else _FUNCTIONS[called](values)
    return _number_of(node) or 0.0


def _name_of(node: ast.expr) -> str | None:
    """Return the criterion that is named, as a word or, where it is none, in quotes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.id if isinstance(node, ast.Name) else None


def _number_of(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _LARGEST else None
