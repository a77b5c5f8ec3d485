"""How criteria become a score: what an expression may say, and that it never leaves the scale."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.aggregate import CriterionMissing, read_aggregate
from db.configuration import resolve_configuration
from db.errors import WrongCall
from db.expression import read_expression
from tests.factories import configuration

GIVEN = {"consistency": 8.0, "reasoning": 4.0, "plausibility": 10.0}


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("mean", 22 / 3),
        ("min", 4.0),
        ("geometric-mean", (8 * 4 * 10) ** (1 / 3)),
        ("0.3*consistency + 0.5*reasoning + 0.2*plausibility", 6.4),
        ("sqrt(consistency*reasoning)", math.sqrt(32)),
        ("min(consistency, plausibility)", 8.0),
        ("max(consistency, reasoning)", 8.0),
        ("mean(consistency, reasoning)", 6.0),
        ("(consistency + reasoning) / 2", 6.0),
        ("10 - reasoning", 6.0),
        ("consistency*reasoning/10", 3.2),
        ("  reasoning ", 4.0),
        ("round(mean(consistency, reasoning, plausibility), 2)", 7.33),
        ("round(consistency/3, 0)", 3.0),
        ("round(reasoning/64, 6)", 0.0625),
        ("round(plausibility/16 + 0*consistency, 2)", 0.62),  # 0.625, to the even digit
        ("consistency if reasoning == 4 else plausibility", 8.0),
        ("consistency if reasoning <= 4 else plausibility", 8.0),
        ("consistency if reasoning >= 5 and plausibility > 9 else plausibility", 10.0),
        ("consistency if 5 < reasoning <= 10 or plausibility != 10 else plausibility", 10.0),
        ("consistency if reasoning >= 4 and plausibility > 9 else plausibility", 8.0),
    ],
)
def test_criteria_become_the_score_that_the_expression_says(text: str, score: float) -> None:
    assert read_aggregate(text).of(GIVEN) == pytest.approx(score)


def test_the_geometric_mean_of_criteria_of_which_one_is_0_is_0() -> None:
    assert read_aggregate("geometric-mean").of({"a": 0.0, "b": 9.0}) == 0


def test_equal_criteria_give_just_that_score() -> None:
    for text in ("mean", "min", "geometric-mean", "0.7*a + 0.3*b", "sqrt(a*b)"):
        assert read_aggregate(text).of({"a": 10.0, "b": 10.0}) == 10


def test_a_name_that_is_no_word_is_written_in_quotes() -> None:
    found = read_aggregate("0.5*'edit quality' + 0.5*\"指令-遵循\"")

    assert found.names == {"edit quality", "指令-遵循"}
    assert found.of({"edit quality": 4.0, "指令-遵循": 6.0, "other": 0.0}) == 5
    assert read_aggregate("物理合理性").of({"物理合理性": 3.0}) == 3


def test_a_criterion_that_is_missing_is_named_and_no_number_is_made_up() -> None:
    with pytest.raises(CriterionMissing, match=r"no criterion 'a', of which the score is made \(b, c given\)"):
        read_aggregate("mean(a, b)").of({"c": 5.0, "b": 5.0})
    for text in ("mean", "min", "geometric-mean"):
        with pytest.raises(CriterionMissing, match="no criteria, of which the score is made"):
            read_aggregate(text).of({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is neither mean, min, geometric-mean nor an expression"),
        ("0.5*a +", "nor an expression"),
        ("0.6*a + 0.5*b", "can give 0 to 11"),
        ("a + b", "can give 0 to 20"),
        ("a - b", "can give -10 to 10"),
        ("instruction-following", "in quotes"),
        ("a*b", "can give 0 to 100"),
        ("11", "can give 11 to 11"),
        ("5", "names no criterion"),
        ("a/b", "divides by something else"),
        ("a/0", "divides by something else"),
        ("1/a", "divides by something else"),
        ("sqrt(a - b)", "the root of a number below 0"),
        ("sqrt(a, b)", "something else than it takes"),
        ("min()", "something else than it takes"),
        ("min(a, key=b)", "something else than it takes"),
        ("median(a, b)", "'median' is no function of an expression"),
        ("__import__('os').system('true')", "is no function of an expression"),
        ("a.real", "'a.real' is nothing that an expression is made of"),
        ("a**2", "is nothing that an expression is made of"),
        ("[a for a in b]", "is nothing that an expression is made of"),
        ("a if b else c", "is no condition"),
        ("a and b", "is nothing that an expression is made of"),
        ("lambda: a", "is nothing that an expression is made of"),
        ("1e999*a", "is nothing that an expression is made of"),
        ("True*a", "is nothing that an expression is made of"),
        ("a" * 1001, "at most 1,000 characters"),
        ("(" * 300 + "a" + ")" * 300, "nor an expression"),
        ("+".join(["0.001*a"] * 100), "nested at most 50 levels deep"),
        ("a\nb", "nor an expression"),
        ("round(a)", "round takes a number and from 0 to 6 digits"),
        ("round()", "round takes a number and from 0 to 6 digits"),
        ("round(a, 7)", "round takes a number and from 0 to 6 digits"),
        ("round(a, -1)", "round takes a number and from 0 to 6 digits"),
        ("round(a, 1.5)", "round takes a number and from 0 to 6 digits"),
        ("round(a, b)", "round takes a number and from 0 to 6 digits"),
        ("round(a, True)", "round takes a number and from 0 to 6 digits"),
        ("round(a, 2, 3)", "round takes a number and from 0 to 6 digits"),
        ("round(a, 2, ndigits=2)", "round takes a number and from 0 to 6 digits"),
        ("round(a, ndigits=2)", "round takes a number and from 0 to 6 digits"),
        ("round(a.real, 2)", "'a.real' is nothing that an expression is made of"),
        ("round(2*a, 2)", "can give 0 to 20"),
        ("round(a - 0.4, 1)", "can give -0.4 to 9.6"),
        ("a if b in c else c", "is no condition"),
        ("a if not b == 1 else c", "is no condition"),
        ("a if b == 1 else 2*c", "can give 0 to 20"),
        ("a if b == x.y else c", "'x.y' is nothing that an expression is made of"),
    ],
)
def test_what_is_no_aggregate_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_aggregate(text)
    assert said in str(caught.value)


_names = st.sampled_from(["a", "b", "c"])
_expressions = st.recursive(
    _names | st.integers(0, 10).map(str) | st.floats(0, 1).map(lambda number: f"{number:.3f}"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["min", "max", "mean"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        inner.map(lambda text: f"sqrt({text})"),
        inner.map(lambda text: f"({text} / 3)"),
        st.tuples(inner, st.integers(0, 6)).map(lambda parts: f"round({parts[0]}, {parts[1]})"),
    ),
    max_leaves=8,
)


@given(_expressions, st.fixed_dictionaries({name: st.floats(0, 10) for name in "abc"}))
def test_what_is_accepted_computes_as_python_would_and_stays_on_the_scale(
    text: str, criteria: dict[str, float]
) -> None:
    try:
        aggregate = read_aggregate(text)
    except ValueError:
        return
    names: dict[str, Any] = {**criteria, "mean": lambda *values: sum(values) / len(values), "sqrt": math.sqrt}
    assert aggregate.of(criteria) == pytest.approx(eval(text, {}, names), abs=1e-6)
    assert 0 <= aggregate.of(criteria) <= 10


def test_what_is_rounded_reaches_as_far_as_its_rounded_ends() -> None:
    found = read_expression("round(a, 1)", lambda _: (0.26, 4.94))

    assert found.reach == (0.3, 4.9)
    assert found.names == {"a"}
    assert found.of({"a": 3.14159}) == 3.1


def test_a_scale_of_other_people_is_heeded() -> None:
    assert read_aggregate("0.5*a + 0.5*b", 1, 5).of({"a": 1.0, "b": 5.0}) == 3
    assert read_aggregate("geometric-mean", 0, 100).of({"a": 100.0, "b": 100.0}) == 100
    with pytest.raises(ValueError, match="not within 1 to 5"):
        read_aggregate("0.5*a", 1, 5)


# -- in a run ----------------------------------------------------------------------------------------------------------


def test_an_aggregate_shapes_results_and_none_leaves_the_digest_as_it_was() -> None:
    digests = {configuration(aggregate=given).digest() for given in (None, "mean", "min")}

    assert len(digests) == 3
    assert configuration(aggregate=None).digest() == configuration().digest()
    assert "aggregate" not in configuration().shaping()
    assert configuration(aggregate="mean").editing_digest() == configuration().editing_digest()


def test_an_aggregate_that_does_not_hold_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(WrongCall, match=r"^run configuration: aggregate: 'a \+ b' can give 0 to 20"):
        resolve_configuration({"editor": "simulated", "scorers": ["simulated"], "aggregate": "a + b"})
