"""Arithmetic that a person writes over named numbers: read once, its bounds found when read, safe to compute.

An expression may name numbers, add, subtract and multiply, divide by numbers, call `min`, `max`, `mean`, `sqrt` and
`round`, and choose by comparison, as in `a if b == 1 else c`; nothing of it is ever evaluated by Python.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from statistics import fmean

Interval = tuple[float, float]
"""The least and the greatest that a number can be."""

_Numbers = Sequence[float]

_FUNCTIONS: Mapping[str, Callable[[_Numbers], float]] = {"min": min, "max": max, "mean": fmean}
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_MADE_OF = "names, numbers, + - *, / by a number, min, max, mean, sqrt, round(a, 2), `a if b == 1 else c`"

_MOST_DIGITS = 6
"""Behind the point, of a number that is rounded."""

_LONGEST = 1000
_DEEPEST = 50

_LARGEST = 1e6
"""Of the numbers in an expression."""


@dataclass(frozen=True)
class Expression:
    """What was read; `names` are the numbers it is made of, `reach` is between which numbers it lies."""

    text: str
    names: frozenset[str]
    reach: Interval
    _tree: ast.expr

    def of(self, numbers: Mapping[str, float]) -> float:
        """Return its value for these numbers, all of `names` among them."""
        return _value(self._tree, numbers)


class NotAnExpression(ValueError):
    """A text that cannot be read as one at all."""


def read_expression(text: str, scale_of: Callable[[str], Interval]) -> Expression:
    """Return what the text stands for; `scale_of` tells between which numbers a named one lies, or raises ValueError.

    Raises ValueError, or NotAnExpression, which is one.
    """
    tree = _parsed(text.strip())
    reach = _Reach(scale_of)
    low, high = reach.of(tree)
    return Expression(text.strip(), frozenset(reach.names), (low, high), tree)


def _parsed(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ValueError(f"an expression has at most {_LONGEST:,} characters")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        raise NotAnExpression(str(error)) from error
    _require_shallow(tree)
    return tree


def _require_shallow(tree: ast.AST) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise ValueError(f"an expression is nested at most {_DEEPEST} levels deep")


# -- bounds ------------------------------------------------------------------------------------------------------------


class _Reach:
    """Finds between which numbers an expression lies; checks its parts on the way."""

    def __init__(self, scale_of: Callable[[str], Interval]) -> None:
        self._scale_of = scale_of
        self.names: set[str] = set()

    def of(self, node: ast.expr) -> Interval:
        """Return the least and the greatest number. Raises ValueError for a part that is not allowed."""
        if (name := _name_of(node)) is not None:
            self.names.add(name)
            return self._scale_of(name)
        if (number := _number_of(node)) is not None:
            return number, number
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return self._of_operation(node)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.IfExp):
            self._check_condition(node.test)
            (low, high), (other_low, other_high) = self.of(node.body), self.of(node.orelse)
            return min(low, other_low), max(high, other_high)
        raise ValueError(f"{ast.unparse(node)!r} is nothing that an expression is made of: {_MADE_OF}")

    def _of_operation(self, node: ast.BinOp) -> Interval:
        left, right = self.of(node.left), self.of(node.right)
        if isinstance(node.op, ast.Div) and (_number_of(node.right) or 0) == 0:
            raise ValueError(f"{ast.unparse(node)!r} divides by something else than a number that is not 0")
        ends = [_OPERATORS[type(node.op)](one, other) for one, other in product(left, right)]
        return min(ends), max(ends)

    def _of_call(self, node: ast.Call) -> Interval:
        called = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if called not in (*_FUNCTIONS, "sqrt", "round"):
            raise ValueError(f"{called!r} is no function of an expression: {_MADE_OF}")
        if called == "round":
            return self._of_rounded(node)
        if not node.args or node.keywords or (called == "sqrt" and len(node.args) > 1):
            raise ValueError(f"{ast.unparse(node)!r} calls {called} with something else than it takes")
        lows, highs = zip(*map(self.of, node.args), strict=True)
        if called != "sqrt":
            return _FUNCTIONS[called](lows), _FUNCTIONS[called](highs)
        if lows[0] < 0:
            raise ValueError(f"{ast.unparse(node)!r} can come to the root of a number below 0")
        return math.sqrt(lows[0]), math.sqrt(highs[0])

    def _of_rounded(self, node: ast.Call) -> Interval:
        digits = _number_of(node.args[1]) if len(node.args) == 2 and not node.keywords else None
        if digits is None or digits != int(digits) or not 0 <= digits <= _MOST_DIGITS:
            raise ValueError(f"{ast.unparse(node)!r}: round takes a number and from 0 to {_MOST_DIGITS} digits")
        low, high = self.of(node.args[0])
        return round(low, int(digits)), round(high, int(digits))

    def _check_condition(self, node: ast.expr) -> None:
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self._check_condition(part)
        elif isinstance(node, ast.Compare) and all(type(how) in _COMPARISONS for how in node.ops):
            for side in (node.left, *node.comparators):
                self.of(side)
        else:
            raise ValueError(f"{ast.unparse(node)!r} is no condition: expected comparisons, with `and` and `or`")


# -- values ------------------------------------------------------------------------------------------------------------


def _value(node: ast.expr, numbers: Mapping[str, float]) -> float:
    """Compute an expression that was checked, of numbers that are all there."""
    if (name := _name_of(node)) is not None:
        return numbers[name]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, numbers), _value(node.right, numbers))
    if isinstance(node, ast.IfExp):
        return _value(node.body if _holds(node.test, numbers) else node.orelse, numbers)
    if isinstance(node, ast.Call):
        called, values = ast.unparse(node.func), [_value(argument, numbers) for argument in node.args]
        if called == "round":
            return round(values[0], int(values[1]))
        return math.sqrt(values[0]) if called == "sqrt" else _FUNCTIONS[called](values)
    return _number_of(node) or 0.0


def _holds(node: ast.expr, numbers: Mapping[str, float]) -> bool:
    if isinstance(node, ast.BoolOp):
        held = (_holds(part, numbers) for part in node.values)
        return all(held) if isinstance(node.op, ast.And) else any(held)
    assert isinstance(node, ast.Compare)  # all else was refused when it was read
    sides = [_value(side, numbers) for side in (node.left, *node.comparators)]
    return all(_COMPARISONS[type(how)](*two) for how, two in zip(node.ops, pairwise(sides), strict=True))


def _name_of(node: ast.expr) -> str | None:
    """Return the number that is named, as a word or, where it is none, in quotes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.id if isinstance(node, ast.Name) else None


def _number_of(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= _LARGEST else None
