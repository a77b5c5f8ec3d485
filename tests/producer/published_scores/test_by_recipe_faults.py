"""Lines that do not fit the recipe, or each other, are named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from db.errors import WrongCall
from tests.producer.published_scores.by_recipe import SC, number, reply, said
from tests.producer.published_scores.importing import Importer, line


@pytest.mark.parametrize(
    ("recipe", "wrong", "fault"),
    [
        (
            "gedit",
            number("a", "1", 5, "beauty"),
            "dimension: recipe gedit has no 'beauty'; it has success, restraint, naturalness, artifacts, SC, PQ, O",
        ),
        (
            "gedit",
            number("a", "1", 11, "SC"),
            "value is 11, which is not from 0 to 10 (the scale of 'SC' in recipe gedit)",
        ),
        (
            "imgedit",
            number("add", "1", 0, "first"),
            "value is 0, which is not from 1 to 5 (the scale of 'first' in rec",
        ),
        (
            "kris",
            number("biology", "1", 101),
            "value is 101, which is not from 0 to 100 (the scale of 'score' in recipe",
        ),
        ("gedit", number("a", "1", True, "SC"), "value: expected a number, found a truth value"),
        (
            "gedit",
            reply("a", "1", said(1, 2), "beauty"),
            "question: recipe gedit has no 'beauty'; it has semantic consistency, perceptual quality",
        ),
        (
            "gedit",
            reply("a", "1", said(1, 2)),
            "question: is missing, and there are several for sample '1' of category 'a': semantic consistency, percep",
        ),
        (
            "rise",
            reply("logical_reasoning", "1", "Final Score: 5", "plausibility", reference_text="t"),
            "question: 'plausibility' is not asked of sample '1' of category 'logical_reasoning', of which there is "
            "reference_text: consistency, reasoning",
        ),
        (
            "rise",
            number("spatial_reasoning", "1", 5, "C", fields={"consistency_free": True}),
            "dimension: the recipe comes to no 'C' for sample '1' of category 'spatial_reasoning', of which there is "
            "consistency_free, but to R, P, reasoning, plausibility, weighted, score, percent, ",
        ),
        ("imgedit", number("dance", "1", 5), "the recipe asks nothing of sample '1' of category 'dance'"),
        ("imgedit", reply("dance", "1", "x"), "the recipe asks nothing of sample '1' of category 'dance'"),
        ("gedit", number("a", "1", 5, "SC", question=SC), "expected either a value or a question, found both: a ques"),
        (
            "gedit",
            reply("a", "1", said(1, 2), SC, dimension="SC"),
            "expected either a reply or a dimension, found both",
        ),
        (
            "gedit",
            line(value=None, failure="lost", dimension="SC", question=SC),
            "expected either a question or a dimension, found both",
        ),
        (
            "gedit",
            line(reply="a", question=SC),
            "expected one of a value, a failure and a reply, found value and reply",
        ),
        ("gedit", line(value=None), "expected one of a value, a failure and a reply, found none"),
        ("gedit", line(fields=[1]), "fields: expected an object, found a list"),
        ("gedit", line(fields={"a": {}}), "a: expected a text, a number or a truth value, found an object"),
        ("gedit", line(fields={"a\nb": 1}), "a name in fields contains a control character"),
        ("gedit", line(fields={" ": 1}), "fields: a name is empty"),
    ],
    ids=str,
)
def test_a_line_that_does_not_fit_the_recipe_is_named_and_nothing_is_entered(
    importer: Importer, recipe: str, wrong: Any, fault: str
) -> None:
    (found,) = importer.faults(wrong, recipe=recipe)

    assert found.startswith(f"line 1: {fault}")


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({"fields": {"a": 1}}, {"fields": {"a": 2}}, "field 'a'"),
        ({"fields": {"a": 1}}, {"fields": {"a": True}}, "field 'a'"),
        ({"description": "a"}, {"description": "b"}, "description"),
        ({"reference_text": "a"}, {"reference_text": "b"}, "reference_text"),
        ({"reference": "a"}, {"reference": "b"}, "reference"),
    ],
)
def test_lines_that_disagree_about_a_sample_are_named(
    importer: Importer, first: Mapping[str, Any], second: Mapping[str, Any], what: str
) -> None:
    found = importer.faults(line(**first), line(scorer="human", **second), recipe="gedit")

    assert found == (f"line 2: {what} of sample 'p-1' of category '物理' is another one than on an earlier line",)


@pytest.mark.parametrize(
    "again",
    [
        reply("a", "1", "cannot be read", SC),
        number("a", "1", 5, "restraint"),
        line(category="a", sample="1", value=None, failure="lost", question=SC),
    ],
    ids=["reply", "number", "failure"],
)
def test_what_a_reply_has_said_is_not_said_again(importer: Importer, again: Any) -> None:
    found = importer.faults(reply("a", "1", said(1, 2), SC), number("a", "1", 5, "PQ"), again, recipe="gedit")

    assert found == ("line 3: says again what line 1 says of the same score",)


def test_the_score_by_its_name_is_the_score(importer: Importer) -> None:
    found = importer.faults(number("a", "1", 5), number("a", "1", 6, "O"), recipe="gedit")

    assert found == ("line 2: says again what line 1 says of the same score",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scale": (0.0, 10.0)}, "--scale beside --recipe gedit: a recipe says itself how its scores are made"),
        ({"aggregate": "mean"}, "--aggregate beside --recipe gedit: a recipe says itself"),
        ({"recipe": "nobody's"}, "--recipe nobody's: expected one of gedit, imgedit, kris, rise, or a file"),
    ],
)
def test_a_wrong_call_is_named(importer: Importer, given: Mapping[str, Any], said: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(said)):
        importer(line(), **{"recipe": "gedit", **given})
