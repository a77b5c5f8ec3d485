"""What differs between what shaped two runs is named field by field, and nothing else is."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from db.ledger import Ledger
from db.queries import Run, find_run
from producer.comparison.differences import ABSENT, Difference, differences, provenance_differences
from producer.comparison.document import difference_document
from tests.producer.by_hand import RunByHand


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_what_is_the_same_does_not_differ() -> None:
    value = {"a": {"b": [1, 2]}, "c": None, "d": {}, "e": []}

    assert differences(value, dict(value)) == []


def test_a_field_is_named_by_its_path() -> None:
    found = differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}})

    assert found == [Difference("a.c", 2, 3)]


def test_a_field_that_one_side_lacks_is_absent_there_and_null_is_a_value() -> None:
    assert differences({"a": 1, "n": None}, {"b": 2, "n": None}) == [
        Difference("a", 1, ABSENT),
        Difference("b", ABSENT, 2),
    ]
    assert differences({"a": None}, {}) == [Difference("a", None, ABSENT)]


def test_true_is_not_one() -> None:
    assert differences({"a": True}, {"a": 1}) == [Difference("a", True, 1)]


def test_scorers_are_held_against_each_other_by_their_labels() -> None:
    first = {"scorers": [{"label": "x", "n": 1}, {"label": "y", "n": 2}]}
    second = {"scorers": [{"label": "y", "n": 2}, {"label": "x", "n": 5}]}

    assert differences(first, second) == [Difference("scorers.x.n", 1, 5)]


def test_an_emptied_mapping_differs_from_a_filled_one() -> None:
    assert differences({"a": {"b": 1}}, {"a": {}}) == [Difference("a.b", 1, ABSENT), Difference("a", ABSENT, {})]


def found_runs(*runs: RunByHand) -> list[Run]:
    return [find_run(run.ledger.engine, run.id) for run in runs]


def test_two_runs_differ_in_what_was_asked_otherwise(ledger: Ledger) -> None:
    first, second = RunByHand(ledger), RunByHand(ledger, seed=7, editor={"name": "simulated", "width": 32})

    found = provenance_differences(ledger.engine, *found_runs(first, second))

    assert {one.path: (one.first, one.second) for one in found} == {"seed": (0, 7), "editor.options.width": (64, 32)}


def test_differences_read_as_a_table_and_as_json(ledger: Ledger) -> None:
    first, second = RunByHand(ledger), RunByHand(ledger, seed=7)
    document = difference_document(
        provenance_differences(ledger.engine, *found_runs(first, second)), first.id, second.id
    )
    file = io.StringIO()

    document.print(Console(file=file, width=80))

    assert [line.split() for line in file.getvalue().splitlines() if "seed" in line] == [["seed", "0", "7"]]
    assert json.loads(document.as_text("json")) == {
        "schema": "editfarm.differences/1",
        "runs": [first.id, second.id],
        "differences": [{"field": "seed", "first": 0, "second": 7}],
    }
