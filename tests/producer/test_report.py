"""How a report reads: as a table and as JSON."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from db.ledger import Ledger
from db.tables import Stage
from producer.report.as_json import report_as_json
from producer.report.gather import Report, gather_report
from producer.report.table import FAILURES_SHOWN, print_report
from tests.db.steps import IMAGE, claimed, finish_edit, job_ids
from tests.factories import enter
from tests.producer.by_hand import SAMPLES, RunByHand

HOSTILE = ["[red]x[/red]", "[/]", "[link=http://example.org]x[/link]", ":smile:", "\\[b]", "{x}", "%s", "<b>&amp;"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """How a report reads does not depend on the database."""
    return sqlite_url


def gathered(run: RunByHand) -> Report:
    return gather_report(run.ledger.engine, run.id)


def printed(report: Report, *, width: int = 80) -> str:
    file = io.StringIO()
    print_report(report, Console(width=width, file=file))
    return file.getvalue()


def cells_of(text: str, beginning: str) -> list[str]:
    """Return the cells of the only table row whose first cell begins so; what parts them is a matter of taste."""
    rows = [re.split(r"\s*[│┃]\s*|\s{2,}", line.strip(" │┃")) for line in text.splitlines()]
    (row,) = [row for row in rows if row[0].startswith(beginning) and len(row) > 1]
    return row


def as_data(report: Report) -> dict[str, Any]:
    """Return the JSON report, read by a parser that takes nothing but JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    data: dict[str, Any] = json.loads(report_as_json(report), parse_constant=refuse)
    return data


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    """Two of three edits made, four scores asked: two given, one failed, one waiting."""
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c", "未知指令")
    run.score("a", "严", 6.25)
    run.score("b", "严", 3)
    run.fail_score("a", "宽", "no number in the reply")
    return run


def test_a_report_says_which_edits_were_made_for_another_run(ledger: Ledger) -> None:
    first = enter(ledger, 3)
    for edit_id in job_ids(ledger, Stage.EDIT, first)[:2]:
        finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0)
    second = enter(ledger, 3, scorers=[{"name": "simulated", "label": "other"}])

    own, shared = (gather_report(ledger.engine, run_id) for run_id in (first, second))

    assert f"2 of 3 edits were made for run {first}" in printed(shared)
    assert "were made for" not in printed(own)
    assert (as_data(shared)["shared_edits"], as_data(own)["shared_edits"]) == ({first: 2}, {})


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_mean_stands_beside_its_n_and_coverage(run: RunByHand) -> None:
    text = printed(gathered(run)).partition("scorer 宽")[0]

    assert cells_of(text, "category") == ["category", "n", "scored", "failed", "coverage", "mean", "sd", "min", "max"]
    assert cells_of(text, "社会") == ["社会 (social)", "2", "1", "1", "50.0%", "6.25", "–", "6.25", "6.25"]
    assert cells_of(text, "物理") == ["物理 (physical)", "1", "1", "0", "100.0%", "3.00", "–", "3.00", "3.00"]
    assert cells_of(text, "all") == ["all", "3", "2", "1", "66.7%", "4.62", "2.30", "3.00", "6.25"]


def test_where_nothing_is_scored_there_is_a_dash_and_no_number(run: RunByHand) -> None:
    text = printed(gathered(run)).partition("scorer 宽")[2]

    assert cells_of(text, "all") == ["all", "3", "0", "2", "0.0%", "–", "–", "–", "–"]


def test_an_unfinished_report_says_partial_and_what_is_missing(run: RunByHand) -> None:
    RunByHand(run.ledger, seed=1)

    assert "PARTIAL: 0 edits and 1 scores are still to come" in printed(gathered(run))


def test_a_finished_report_does_not_say_partial(run: RunByHand) -> None:
    run.score("b", "宽", 5)

    assert "PARTIAL" not in printed(gathered(run))


def test_the_heading_names_run_benchmark_and_editor(run: RunByHand) -> None:
    first = printed(gathered(run)).splitlines()[0]

    assert first.split() == ["run", run.id, "benchmark", "评测", "editor", "simulated"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_keeps_to_the_width_of_the_terminal(ledger: Ledger, width: int) -> None:
    run = RunByHand(ledger, [("物理与常识推理以及其他", "钥匙" * 40)])
    run.fail_edit("钥匙" * 40, "原因" * 200)

    assert max(cell_len(line) for line in printed(gathered(run), width=width).splitlines()) <= width


def test_chinese_columns_line_up(run: RunByHand) -> None:
    text = printed(gathered(run)).partition("scorer 宽")[0]
    lines = [line for line in text.splitlines() if re.search("mean|社会|物理|all", line)]

    assert len(lines) == 4
    assert len({cell_len(line.rstrip()) for line in lines}) == 1


def test_numbers_survive_a_long_category_name_at_80_columns(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("一个名字很长的类别" * 10, "a")])
    run.edit("a")
    run.score("a", "严", 10)

    text = printed(gathered(run)).partition("scorer 宽")[0]

    assert cells_of(text, "all") == ["all", "1", "1", "0", "100.0%", "10.00", "–", "10.00", "10.00"]


def test_failures_are_listed_with_place_and_reason(run: RunByHand) -> None:
    text = printed(gathered(run), width=120)

    assert "2 failed: 1 model, 1 input" in text
    assert cells_of(text, "score (宽)") == ["score (宽)", "社会 (social)", "a", "model", "no number in the reply"]
    assert cells_of(text, "edit") == ["edit", "社会 (social)", "c", "input", "未知指令"]


def test_a_long_list_of_failures_is_cut_and_says_so(ledger: Ledger) -> None:
    keys = [f"p-{number}" for number in range(FAILURES_SHOWN + 3)]
    run = RunByHand(ledger, [("物理", key) for key in keys])
    for key in keys:
        run.fail_edit(key)

    text = printed(gathered(run))

    assert keys[FAILURES_SHOWN - 1] in text
    assert keys[FAILURES_SHOWN] not in text
    assert "and 3 more" in text
    assert len(as_data(gathered(run))["failures"]) == FAILURES_SHOWN + 3


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_printed_as_it_is(ledger: Ledger, text: str) -> None:
    scorers = [{"name": "simulated", "label": text}]
    run = RunByHand(ledger, [(text, text)], name=text, editor={"name": "simulated", "label": text}, scorers=scorers)
    run.edit(text)
    run.fail_score(text, text, text)

    first, table, failures = re.split(r"^scorer |^1 failed", printed(gathered(run), width=300), flags=re.MULTILINE)

    assert first.split("  benchmark ")[1] == f"{text}  editor {text}\nPARTIAL".partition("\n")[0] + "\n"
    assert table.startswith(text)
    assert cells_of(table, text)[0] == text
    assert cells_of(failures, "score (") == [f"score ({text})", text, text, "model", text]


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_the_json_report_has_a_version_and_names_what_was_asked(run: RunByHand) -> None:
    data = as_data(gathered(run))

    assert data["schema"] == "editfarm.report/1"
    assert data["run"]["id"] == run.id
    assert data["run"]["benchmark"]["name"] == "评测"
    assert data["run"]["benchmark"]["samples"] == len(SAMPLES)
    assert data["run"]["configuration"]["editor"]["options"]["width"] == 64
    assert [scorer["label"] for scorer in data["run"]["configuration"]["scorers"]] == ["严", "宽"]


def test_the_json_report_has_the_numbers_of_the_table(run: RunByHand) -> None:
    strict, mild = as_data(gathered(run))["scorers"]

    assert strict["scorer"] == "严"
    assert strict["overall"] == {
        "n": 3,
        "scored": 2,
        "failed": 1,
        "coverage": pytest.approx(2 / 3),
        "mean": 4.625,
        "sd": pytest.approx(2.298097),
        "min": 3,
        "max": 6.25,
    }
    assert [(group["category"], group["alias"], group["mean"]) for group in strict["categories"]] == [
        ("社会", "social", 6.25),
        ("物理", "physical", 3),
    ]
    assert mild["overall"] | {"n": 3} == {
        "n": 3,
        "scored": 0,
        "failed": 2,
        "coverage": 0,
        "mean": None,
        "sd": None,
        "min": None,
        "max": None,
    }


def test_the_json_report_holds_every_failure_with_its_reason(run: RunByHand) -> None:
    assert as_data(gathered(run))["failures"] == [
        {
            "stage": "score",
            "scorer": "宽",
            "category": "社会",
            "key": "a",
            "repeat": 0,
            "kind": "model",
            "reason": "no number in the reply",
        },
        {
            "stage": "edit",
            "scorer": None,
            "category": "社会",
            "key": "c",
            "repeat": 0,
            "kind": "input",
            "reason": "未知指令",
        },
    ]


def test_the_json_report_says_whether_it_is_partial(run: RunByHand) -> None:
    before = as_data(gathered(run))
    run.score("b", "宽", 5)
    after = as_data(gathered(run))

    assert (before["partial"], after["partial"]) == (True, False)
    assert (before["progress"]["state"], after["progress"]["state"]) == ("running", "failed")


def test_the_json_report_keeps_chinese_readable(run: RunByHand) -> None:
    assert '"category": "社会"' in report_as_json(gathered(run))


@pytest.mark.parametrize("value", [0.0, 10.0, 10 / 3, 5e-324, 1e-5])
def test_a_score_comes_back_from_the_ledger_and_json_to_the_last_digit(ledger: Ledger, value: float) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    run.edit("a")
    run.score("a", "严", value)

    assert as_data(gathered(run))["scorers"][0]["overall"]["mean"] == value


def test_a_cancelled_run_is_told_from_a_finished_one(run: RunByHand) -> None:
    run.ledger.cancel(run.id)

    data = as_data(gathered(run))
    assert (data["partial"], data["progress"]["state"]) == (True, "cancelled")
    assert "PARTIAL: 1 jobs were cancelled" in printed(gathered(run))
