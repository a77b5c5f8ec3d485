"""What a check of a judge refuses, and what it notes about how little it has."""

from __future__ import annotations

import pytest

from db.errors import BenchmarkInvalid, UnknownRun, WrongCall
from producer.judge_check.document import check_document
from tests.producer.judge_check.conftest import Check, Publish, rated, scored


def test_runs_of_two_benchmarks_are_refused(publish: Publish, check: Check) -> None:
    runs = [*publish(scored({"a": 1})), *publish(scored({"b": 1}))]

    with pytest.raises(WrongCall, match="a judge is checked on one benchmark"):
        check(runs, rated({"a": 1}))
    with pytest.raises(WrongCall, match="is given twice"):
        check([runs[0], runs[0]], rated({"a": 1}))
    with pytest.raises(UnknownRun):
        check(["nope"], rated({"a": 1}))


def test_what_is_asked_for_must_be_there(publish: Publish, check: Check) -> None:
    runs = publish(scored({"a": 1, "b": 2}))

    with pytest.raises(WrongCall, match="--scorer odd: the runs have 'judge'"):
        check(runs, rated({"a": 1}), scorers=["odd"])
    with pytest.raises(WrongCall, match="--dimension odd: the runs have 'overall'"):
        check(runs, rated({"a": 1}), dimensions=["odd"])
    with pytest.raises(BenchmarkInvalid) as refused:
        check(runs, rated({"a": 1}, dimension="odd"))
    assert refused.value.faults == ("line 1: dimension 'odd' is none that a scorer gives: 'overall'",)


def test_people_who_rated_another_dimension_than_is_asked_for_are_not_silently_passed_over(
    publish: Publish, check: Check
) -> None:
    runs = publish([*scored({"a": 1}), *scored({"a": 1}, dimension="realism")])

    with pytest.raises(WrongCall, match="no dimension in common"):
        check(runs, rated({"a": 1}), dimensions=["realism"])


def test_few_levels_and_few_edits_are_noted(publish: Publish, check: Check) -> None:
    found = check(publish(scored({"a": 1, "b": 2, "c": 3})), rated({"a": 0, "b": 0, "c": 1}))

    assert found.notes == [
        "scorer judge: only 3 edits rated and scored",
        "ratings of overall have 2 levels: many edits tie, pairs of which are left out, and correlations are lower for "
        "it",
    ]


@pytest.mark.parametrize("sizes", [(1e30, 1e-30), (1e-30, 2e-30), (1e30, -1e30), (0, 0), (1, 1 + 1e-15)])
def test_ratings_of_any_scale_give_numbers_or_none(publish: Publish, check: Check, sizes: tuple[float, float]) -> None:
    runs = publish(scored({"a": 1, "b": 2, "c": 3}))
    human = [*rated({"a": sizes[0], "b": sizes[1], "c": sizes[0]}), *rated({"a": sizes[1], "b": sizes[0]}, rater="x")]

    text = check_document(check(runs, human)).as_text("json")

    assert "NaN" not in text
    assert "Infinity" not in text
