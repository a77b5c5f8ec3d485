"""How a check of a judge reads, in every format."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from rich.console import Console

from producer.judge_check.document import check_document
from producer.judge_check.schema import JudgeCheck
from tests.producer.judge_check.conftest import PAIRS, Check, Publish, only, verdicts


@pytest.fixture
def full(two: list[str], publish: Publish, check: Check) -> JudgeCheck:
    """A check with something in every table."""
    keys = "abcdefg"
    lines = [
        {"sample": key, "editor": editor, "judge_repeat": repeat, "value": (3 * place + 2 * repeat + more) % 10}
        for place, key in enumerate(keys)
        for more, editor in enumerate(("old", "new"))
        for repeat in range(2)
    ]
    human: list[Any] = [
        {"sample": key, "editor": editor, "rater": rater, "value": (place + more + who) % 6}
        for place, key in enumerate(keys)
        for more, editor in enumerate(("old", "new"))
        for who, rater in enumerate("xy")
    ]
    human += [{"sample": key, "better": "new", "worse": "old", "rater": "x"} for key in keys]
    return check(publish(lines, name="voll"), human, verdicts(PAIRS, judge="vlm"))


def test_a_table_fits_eighty_columns_and_names_what_it_tells(full: JudgeCheck) -> None:
    file = io.StringIO()

    check_document(full).print(Console(width=80, file=file))

    text = file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        *("correlation with people's ratings", "pairwise accuracy", "people's preferences", "judged again"),
        *("what repeats are worth", "people among themselves", "preferred what was shown first", "in both orders"),
        *("accuracy against people", "people: 28 ratings, 7 preferences, 2 raters", "Wilson"),
    ):
        assert part in text
    assert "物理 (physical)" in text


def test_every_figure_has_a_row_in_csv(full: JudgeCheck) -> None:
    rows = list(csv.DictReader(io.StringIO(check_document(full).as_text("csv"))))

    found = {(row["about"], row["group"], row["figure"]): row for row in rows}
    overall = only(full).overall
    assert overall is not None and overall.kendall.ci is not None
    kendall = found["ratings", "all", "kendall"]
    assert float(kendall["value"]) == overall.kendall.value
    assert (float(kendall["ci_low"]), kendall["n"]) == (overall.kendall.ci.low, "14")
    assert found["order", "all", "kept"]["n"] == "7"
    assert {row["about"] for row in rows} == {"ratings", "preferences", "repeats", "people", "order"}
    assert found["repeats", "all", "equal"]["value"] == str(only(full).consistency.equal)  # type: ignore[union-attr]


def test_json_is_the_check_and_markdown_has_its_tables(full: JudgeCheck) -> None:
    document = check_document(full)

    assert json.loads(document.as_text("json"))["schema"] == "editfarm.judge-check/1"
    assert JudgeCheck.model_validate_json(document.as_text("json")) == full
    assert document.as_text("md").count("\n## ") == 9
