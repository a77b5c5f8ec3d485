"""What a judge is asked by a rubric, and what its answers come to: by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from db.aggregate import CriterionMissing
from db.configuration import first_fault
from db.rubric import JUDGED_ON, Rubric, scale_in, there_is

TEN, FIVE, HUNDRED = (0, 10), (1, 5), (0, 100)


def question(name: str, *criteria: tuple[str, tuple[int, int]], **given: Any) -> dict[str, Any]:
    """Return a question whose answer gives these criteria in JSON."""
    asked = [{"name": criterion, "scale": scale, "at": criterion} for criterion, scale in criteria]
    return {
        "name": name,
        "prompt": {"user": "Rate {{ instruction }}"},
        "show": [{"what": "prompt"}, {"what": "edited"}],
        "answer": {"form": "json", "criteria": asked},
        **given,
    }


def answered(form: str, at: str = "", **given: str) -> dict[str, Any]:
    """Return a question that is answered in a form, by one criterion."""
    criteria = [{"name": "x", "scale": TEN, "at": at}]
    return question("q", answer={"form": form, "criteria": criteria, **given})


GEDIT = {
    "questions": [
        question("SC", ("success", TEN), ("overediting", TEN)),
        question("PQ", ("naturalness", TEN), ("artifacts", TEN)),
    ],
    "values": [
        {"name": "SC", "of": "min(success, overediting)", "scale": TEN},
        {"name": "PQ", "of": "min(naturalness, artifacts)", "scale": TEN},
        {"name": "O", "of": "sqrt(SC * PQ)", "scale": TEN},
    ],
    "score": "O",
}

LOGICAL = {"categories": ["logical"]}
RISE = {
    "questions": [
        question("consistency", ("consistency", FIVE), when={"lacks": ["consistency_free"]}),
        question("reasoning", ("reasoning", FIVE)),
        question("plausibility", ("plausibility", FIVE), when={"categories": ["causal", "spatial", "temporal"]}),
    ],
    "values": [
        {"name": "weighted", "when": LOGICAL, "of": "0.3 * consistency + 0.7 * reasoning", "scale": FIVE},
        {
            "name": "weighted",
            "when": {"has": ["consistency_free"]},
            "of": "0.8 * reasoning + 0.2 * plausibility",
            "scale": FIVE,
        },
        {"name": "weighted", "of": "0.3 * consistency + 0.5 * reasoning + 0.2 * plausibility", "scale": FIVE},
        {"name": "halved", "of": "max(1, weighted / 2) if reasoning == 1 else weighted", "scale": FIVE},
        {"name": "percent", "of": "25 * (halved - 1)", "scale": HUNDRED},
    ],
    "score": "percent",
}


def values(rubric: Mapping[str, Any], category: str, fields: Mapping[str, object], **criteria: float) -> Any:
    made = Rubric.model_validate(rubric)
    return made.values_of(category, there_is(fields), criteria)


def complaint(**changed: Any) -> str:
    """Return what is said of GEdit's rubric when it is changed so."""
    with pytest.raises(ValidationError) as caught:
        Rubric.model_validate({**GEDIT, **changed})
    return first_fault(caught.value)


# -- arithmetic --------------------------------------------------------------------------------------------------------


def test_gedits_score_is_the_root_of_the_product_of_two_minima() -> None:
    made = values(GEDIT, "color_alter", {}, success=9, overediting=4, naturalness=7, artifacts=9)

    assert (made["SC"], made["PQ"], made["O"]) == (4, 7, pytest.approx(28**0.5))


@pytest.mark.parametrize(
    ("category", "fields", "criteria", "weighted", "percent"),
    [
        ("causal", {}, {"consistency": 5, "reasoning": 4, "plausibility": 3}, 4.1, 77.5),
        ("causal", {}, {"consistency": 5, "reasoning": 1, "plausibility": 5}, 3.0, 12.5),
        ("causal", {}, {"consistency": 1, "reasoning": 1, "plausibility": 1}, 1.0, 0.0),
        ("logical", {}, {"consistency": 1, "reasoning": 5}, 3.8, 70.0),
        ("logical", {}, {"consistency": 5, "reasoning": 1}, 2.2, 2.5),
        ("spatial", {"consistency_free": "True"}, {"reasoning": 5, "plausibility": 3}, 4.6, 90.0),
    ],
)
def test_risebenchs_score_is_weighted_by_category_and_halved_without_reasoning(
    category: str, fields: Mapping[str, object], criteria: Mapping[str, float], weighted: float, percent: float
) -> None:
    made = values(RISE, category, fields, **criteria)

    assert (made["weighted"], made["percent"]) == (pytest.approx(weighted), pytest.approx(percent))


def completed(rubric: Mapping[str, Any], category: str, fields: Mapping[str, object], **given: float) -> Any:
    return Rubric.model_validate(rubric).completed(category, there_is(fields), given)


def test_what_is_given_stays_and_what_can_be_made_of_it_is_made() -> None:
    both = completed(GEDIT, "a", {}, SC=9, success=2, overediting=3, naturalness=4, artifacts=5)

    assert (both["SC"], both["PQ"], both["O"]) == (9, 4, 6)
    assert completed(GEDIT, "a", {}, SC=9, PQ=4) == {"SC": 9, "PQ": 4, "O": 6}
    assert completed(GEDIT, "a", {}, O=1, naturalness=4) == {"O": 1, "naturalness": 4}
    assert completed(GEDIT, "a", {}, O=1, SC=9, PQ=4)["O"] == 1


def test_completing_takes_the_values_of_the_samples_kind_and_keeps_to_their_scales() -> None:
    free = completed(RISE, "spatial", {"consistency_free": "True"}, reasoning=5, plausibility=3)

    assert free["percent"] == pytest.approx(90)
    assert completed(RISE, "causal", {}, consistency=5, reasoning=5, plausibility=5)["weighted"] == 5


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ({"SC": 9, "naturalness": 4}, "no 'artifacts', of which 'PQ' is made, of which 'O' is made"),
        ({"success": 1, "PQ": 3}, "no 'overediting', of which 'SC' is made, of which 'O' is made"),
    ],
)
def test_what_the_score_lacks_is_named_down_to_what_nothing_is_made_of(
    given: Mapping[str, float], lacking: str
) -> None:
    with pytest.raises(CriterionMissing) as caught:
        completed(GEDIT, "a", {}, **given)

    assert str(caught.value) == lacking


def test_a_score_that_is_a_criterion_must_be_given() -> None:
    with pytest.raises(CriterionMissing, match=r"^no 'success', which is the score$"):
        completed({**GEDIT, "score": "success"}, "a", {}, naturalness=4)


def test_a_value_never_leaves_its_scale_by_how_numbers_are_rounded() -> None:
    """0.1 x 7 + 0.1 x 7 + 0.8 x 7 is a little more than 7."""
    made = {"name": "O", "of": "0.1*x + 0.1*x + 0.8*x", "scale": (0, 7)}

    assert values({"questions": [question("q", ("x", (0, 7)))], "values": [made], "score": "O"}, "a", {}, x=7)["O"] == 7


def test_a_value_of_what_was_not_given_is_none() -> None:
    with pytest.raises(CriterionMissing, match="no 'consistency', of which 'weighted' is made"):
        values(RISE, "causal", {}, reasoning=4, plausibility=4)


# -- which questions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "fields", "asked"),
    [
        ("causal", {}, ["consistency", "reasoning", "plausibility"]),
        ("logical", {}, ["consistency", "reasoning"]),
        ("spatial", {"consistency_free": "True"}, ["reasoning", "plausibility"]),
    ],
)
def test_a_question_is_asked_where_its_condition_holds(
    category: str, fields: Mapping[str, object], asked: list[str]
) -> None:
    rubric = Rubric.model_validate(RISE)

    assert [one.name for one in rubric.asked(category, there_is(fields))] == asked


def test_of_questions_of_one_name_the_first_that_fits_is_asked() -> None:
    general = question("PQ", ("naturalness", TEN), ("artifacts", TEN))
    special = {**general, "when": {"has": ["reference_image"]}, "prompt": {"user": "with a reference"}}
    rubric = Rubric.model_validate({**GEDIT, "questions": [GEDIT["questions"][0], special, general]})

    with_reference, without = (rubric.asked("a", there_is({}, reference=given)) for given in (True, False))

    assert [one.prompt.user for one in with_reference] == ["Rate {{ instruction }}", "with a reference"]
    assert [one.prompt.user for one in without] == ["Rate {{ instruction }}", "Rate {{ instruction }}"]


# -- which numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "fields", "given"),
    [
        ("causal", {}, {"consistency", "reasoning", "plausibility", "weighted", "halved", "percent"}),
        ("logical", {}, {"consistency", "reasoning", "weighted", "halved", "percent"}),
        ("spatial", {"consistency_free": False}, {"reasoning", "plausibility", "weighted", "halved", "percent"}),
        ("logical", {"consistency_free": True}, {"reasoning"}),  # whose weights it lacks, and so all that is made of it
        ("strange", {}, {"consistency", "reasoning"}),
    ],
)
def test_what_a_sample_comes_to_is_known_before_it_is_judged(
    category: str, fields: Mapping[str, object], given: set[str]
) -> None:
    assert Rubric.model_validate(RISE).given(category, there_is(fields)) == given


def test_what_is_given_is_what_is_made_of_the_answers() -> None:
    rubric = Rubric.model_validate(RISE)
    for category in ("causal", "logical", "spatial"):
        there = there_is({})
        criteria = {one.name: 3.0 for asked in rubric.asked(category, there) for one in asked.answer.criteria}

        assert rubric.given(category, there) == set(rubric.values_of(category, there, criteria))


def test_a_sample_that_the_score_is_not_about_has_none() -> None:
    made = {"name": "SC", "of": "min(success, overediting)", "scale": TEN, "when": {"categories": ["a"]}}
    rubric = {**GEDIT, "values": [made], "score": "SC"}

    assert values(rubric, "a", {}, success=3, overediting=2)["SC"] == 2
    with pytest.raises(CriterionMissing, match="no 'SC', which is the score"):
        values(rubric, "b", {}, success=3, overediting=2)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"score": "total"}, "score: 'total' is neither a criterion nor a value"),
        (
            {"values": [{"name": "O", "of": "sqrt(SC)", "scale": TEN}]},
            "'SC' is neither a criterion nor an",
        ),
        (
            {"values": [{"name": "O", "of": "success + artifacts", "scale": TEN}]},
            "'success + artifacts' can give 0 to 20, which is not within 0 to 10",
        ),
        ({"values": [{"name": "O", "of": "open('x')", "scale": TEN}]}, "is no function of an expression"),
        ({"values": [{"name": "success", "of": "artifacts", "scale": TEN}]}, "'success' has another meaning"),
        ({"values": [{"name": "O", "of": "success", "scale": (5, 1)}]}, "the scale of 'O' is 5 to 1"),
        ({"questions": [question("a", ("x", TEN)), question("b", ("x", FIVE))]}, "criterion 'x' has two scales"),
        ({"questions": [question("a", ("x", TEN), ("x", TEN))]}, "question 'a' gives one criterion twice"),
        (
            {"questions": [question("a", ("x", TEN)), question("b", ("x", TEN))]},
            "criterion 'x' is of two questions; only those of one name may share it",
        ),
        (
            {"values": [{"name": "O", "of": "success", "scale": top} for top in (TEN, (0, 20))]},
            "'O' has another meaning or scale before",
        ),
        ({"values": [{"name": "O", "of": "success", "scale": (0, 101)}]}, "the scale of 'O' is 0 to 101"),
        ({"values": [{"name": "O", "of": "success", "scale": (-1, 10)}]}, "the scale of 'O' is -1 to 10"),
        ({"questions": [answered("labelled")]}, "a label is given with the form `labelled`, and only with it"),
        (
            {"questions": [answered("lines", label="Score")]},
            "a label is given with the form `labelled`, and only with it",
        ),
        ({"questions": [answered("lines", at="x")]}, "criteria say where they are (`at`) in the form `json`, and only"),
        ({"questions": [answered("json")]}, "criteria say where they are (`at`) in the form `json`, and only there"),
        ({"resize": {}}, "expected either an area or what it must lie within"),
        ({"resize": {"area": 4096, "within": (9, 9)}}, "expected either an area or what it must lie within"),
        (
            {"values": [{"name": "overall", "of": "success", "scale": TEN}], "score": "success"},
            "'overall' is what reports call the score, which is 'success' here",
        ),
        (
            {"values": [{"name": f"v{number}", "of": "success", "scale": TEN} for number in range(47)], "score": "v1"},
            "a rubric has at most 50 criteria and values, and this has 51",
        ),
    ],
)
def test_a_rubric_that_does_not_hold_together_is_refused(changed: Mapping[str, Any], said: str) -> None:
    assert said in complaint(**changed)


def test_a_rubric_may_have_as_many_numbers_as_reports_tell_of_and_call_its_score_as_they_do() -> None:
    made = [{"name": name, "of": "success", "scale": TEN} for name in ("overall", *map(str, range(45)))]

    assert len(Rubric.model_validate({**GEDIT, "values": made, "score": "overall"}).scales()) == 50


# -- its scale ---------------------------------------------------------------------------------------------------------


def test_the_scale_of_a_scorer_is_that_of_its_score() -> None:
    stored = Rubric.model_validate(RISE).model_dump(mode="json")

    assert scale_in({"rubric": stored}) == (0, 100)
    assert scale_in({"rubric": {**stored, "score": "reasoning"}}) == (1, 5)
    assert scale_in({"batch_size": 8}) == JUDGED_ON
