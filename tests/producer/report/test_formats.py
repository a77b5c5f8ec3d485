"""A report as JSON, CSV and markdown: the same numbers, for other readers."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from db.ledger import Ledger
from producer.report.document import report_document
from producer.report.gather import gather_report
from producer.report.schema import Report
from tests.producer.by_hand import SAMPLES, RunByHand

HOSTILE = ["a|b", "[x](javascript:alert(1))", "<script>x</script>", "**b**", "`c`", "\\", "#h", "&lt;", "line\nbreak"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """How a report reads does not depend on the database."""
    return sqlite_url


def gathered(run: RunByHand) -> Report:
    return gather_report(run.ledger.engine, run.id)


def written(run: RunByHand, format_name: str) -> str:
    return report_document(gathered(run)).as_text(format_name)


def as_data(run: RunByHand) -> dict[str, Any]:
    """Return the JSON report, read by a parser that takes nothing but JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    data: dict[str, Any] = json.loads(written(run, "json"), parse_constant=refuse)
    return data


def as_rows(run: RunByHand) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(run, "csv"), newline="")))


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    """Two of three edits made, four scores asked: two given, one failed, one waiting."""
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c", "未知指令")
    run.score("a", "严", 6.25, following=7)
    run.score("b", "严", 3)
    run.fail_score("a", "宽", "no number in the reply")
    return run


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_the_json_report_has_a_version_and_names_what_was_asked(run: RunByHand) -> None:
    data = as_data(run)

    assert (data["schema"], data["run"], data["editor"]) == ("editfarm.report/2", run.id, "simulated")
    assert (data["benchmark"]["name"], data["benchmark"]["samples"]) == ("评测", len(SAMPLES))
    configuration = data["provenance"]["configuration"]
    assert configuration["editor"]["options"]["width"] == 64
    assert [scorer["label"] for scorer in configuration["scorers"]] == ["严", "宽"]


def test_the_json_report_has_every_number(run: RunByHand) -> None:
    strict, mild = as_data(run)["scorers"]

    found = strict["dimensions"][0]["overall"]
    assert (found["n"], found["scored"], found["mean"], found["median"]) == (3, 2, 4.625, 4.625)
    others = {"missing": 0, "judge_failed": 0, "unparsed": 0, "refused": 0, "lost": 0}
    assert found["failed"] == {"edit_failed": 1, **others}
    assert found["lower_bound"]["mean"] == pytest.approx(9.25 / 3)
    categories = strict["dimensions"][0]["categories"]
    assert [(one["category"], one["alias"], one["mean"]) for one in categories] == [
        ("社会", "social", 6.25),
        ("物理", "physical", 3),
    ]
    assert [one["name"] for one in strict["dimensions"]] == ["overall", "following"]
    assert mild["dimensions"][0]["overall"]["mean"] is None


def test_the_json_report_is_what_its_schema_says(run: RunByHand) -> None:
    assert Report.model_validate_json(written(run, "json")) == gathered(run)


def test_the_json_report_holds_every_failure_with_its_reason(run: RunByHand) -> None:
    place = {"category": "社会", "repeat": 0, "judge_repeat": 0}
    assert as_data(run)["failures"] == [
        {**place, "stage": "score", "scorer": "宽", "key": "a", "kind": "model", "reason": "no number in the reply"},
        {**place, "stage": "edit", "scorer": None, "key": "c", "kind": "input", "reason": "未知指令"},
    ]


def test_the_json_report_says_whether_it_is_partial(run: RunByHand) -> None:
    before = as_data(run)
    run.score("b", "宽", 5)
    after = as_data(run)

    assert (before["partial"], after["partial"]) == (True, False)
    assert (before["missing"], after["missing"]) == ("0 edits and 1 score are still to come", None)
    assert (before["progress"]["state"], after["progress"]["state"]) == ("running", "failed")


def test_a_cancelled_run_is_told_from_a_finished_one(run: RunByHand) -> None:
    run.ledger.cancel(run.id)

    data = as_data(run)
    assert (data["partial"], data["progress"]["state"]) == (True, "cancelled")
    assert data["missing"] == "1 job cancelled"


def test_the_json_report_keeps_chinese_readable(run: RunByHand) -> None:
    assert '"category": "社会"' in written(run, "json")


@pytest.mark.parametrize("value", [0.0, 10.0, 10 / 3, 5e-324, 1e-5])
def test_a_score_comes_back_from_the_ledger_and_json_to_the_last_digit(ledger: Ledger, value: float) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    run.edit("a")
    run.score("a", "严", value)

    assert as_data(run)["scorers"][0]["dimensions"][0]["overall"]["mean"] == value


def test_the_same_ledger_gives_the_same_report_to_the_last_digit(ledger: Ledger) -> None:
    keys = [f"p-{number}" for number in range(12)]
    run = RunByHand(ledger, [("物理", key) for key in keys], sources=keys)
    run.edit(*keys)
    for number, key in enumerate(keys):
        run.score(key, "严", number * 0.7)

    assert written(run, "json") == written(run, "json")


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_the_csv_has_a_row_for_each_scorer_dimension_and_group(run: RunByHand) -> None:
    rows = as_rows(run)

    assert [(row["scorer"], row["dimension"], row["group"], row["category"]) for row in rows[:4]] == [
        ("严", "overall", "category", "社会"),
        ("严", "overall", "category", "物理"),
        ("严", "overall", "all", ""),
        ("严", "overall", "macro", ""),
    ]
    assert len(rows) == 3 * 4
    everything = rows[2]
    assert (everything["n"], everything["scored"], everything["edit_failed"], everything["mean"]) == (
        "3",
        "2",
        "1",
        "4.625",
    )
    assert (everything["run"], everything["partial"], everything["ci_low"]) == (run.id, "true", "")
    assert rows[3]["mean"] == "4.625"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_no_cell_of_the_csv_is_a_formula(ledger: Ledger, name: str) -> None:
    run = RunByHand(ledger, [(name, "a")], scorers=[{"name": "simulated", "label": name}])

    assert {row["category"] for row in as_rows(run)} == {f"'{name}", ""}
    assert {row["scorer"] for row in as_rows(run)} == {f"'{name}"}


# -- markdown ----------------------------------------------------------------------------------------------------------


def test_the_markdown_has_the_tables_of_the_terminal(run: RunByHand) -> None:
    text = written(run, "md")

    assert text.startswith(f"# Report of run {run.id}\n\nrun {run.id}  benchmark 评测  editor simulated")
    assert "PARTIAL: 0 edits and 1 score are still to come" in text
    assert "| 社会 (social) | 2 | 1 | 1 | 50.0% | 6.25 | – | – | 6.25 | 6.25 | 6.25 |" in text
    assert "| **all (micro)** | **3** | **2** |" in text
    assert text.endswith(
        "95 % CI: percentile bootstrap over source images within categories, 2,000 resamples, seed 0\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_stays_text_in_markdown(ledger: Ledger, text: str) -> None:
    run = RunByHand(ledger, [(text, "a")])
    run.edit("a")
    run.fail_score("a", "严", text)

    lines = written(run, "md").splitlines()

    rows = [line for line in lines if line.startswith("|")]
    for row in rows:
        assert row.replace("\\\\", "").replace("\\|", "").count("|") in (6, 12)
    assert [line for line in lines if re.search(r"(?<!\\)<script|(?<!\\)\]\(", line)] == []
