"""How a report reads on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from db.jobs import Failure
from db.ledger import Ledger
from db.tables import FailureKind, Stage
from producer.report.document import report_document
from producer.report.gather import gather_report
from producer.report.grid import number, signed, span
from producer.report.grids import FAILURES_SHOWN
from producer.report.schema import Interval, Report
from tests.db.steps import IMAGE, claimed, finish_edit, job_ids
from tests.factories import enter
from tests.producer.by_hand import RunByHand

HOSTILE = ["[red]x[/red]", "[/]", "[link=http://example.org]x[/link]", ":smile:", "\\[b]", "{x}", "%s", "<b>&amp;"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """How a report reads does not depend on the database."""
    return sqlite_url


def gathered(run: RunByHand) -> Report:
    return gather_report(run.ledger.engine, run.id)


def printed(report: Report, *, width: int = 80) -> str:
    file = io.StringIO()
    report_document(report).print(Console(width=width, file=file))
    return file.getvalue()


def cells_of(text: str, beginning: str) -> list[str]:
    """Return the cells of the only table row whose first cell begins so; what parts them is a matter of taste."""
    rows = [re.split(r"\s*[│┃]\s*|\s{2,}", line.strip(" │┃")) for line in text.splitlines()]
    (row,) = [row for row in rows if row[0].startswith(beginning) and len(row) > 1]
    return row


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


def test_a_mean_of_means_says_how_many_of_the_categories_have_one(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "1"), ("因果", "2"), ("社会", "3")])
    run.edit("1", "2", "3")
    run.score("1", "严", 2)
    run.score("2", "严", 4)
    run.fail_score("3", "严")
    rows = printed(gathered(run)).partition("scorer 宽")[0]

    assert cells_of(rows, "2 of 3 categories (macro)") == ["2 of 3 categories (macro)", "3.00", "–"]
    assert cells_of(rows, "failures as 0, macro")[1] == "2.00"


def test_what_is_lost_is_told_with_the_ledgers_word_for_it(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a")
    run.ledger.fail(run.start_score("a", "严"), Failure(FailureKind.POISON, "its worker died three times"))

    text = printed(gathered(run))

    assert "failed: 1 lost (poison)" in text
    assert "1 failed: 1 poison" in text


@pytest.mark.parametrize(
    ("value", "number_of", "signed_of"), [(-0.001, "0.00", "±0.00"), (-0.5, "-0.50", "-0.50"), (0.004, "0.00", "±0.00")]
)
def test_what_rounds_to_zero_is_not_below_it(value: float, number_of: str, signed_of: str) -> None:
    assert (number(value), signed(value)) == (number_of, signed_of)
    assert span(Interval(low=value, high=1)) == (f"{number_of} to 1.00" if value <= -0.5 else f"{number_of}–1.00")


def test_a_report_says_which_edits_were_made_for_another_run(ledger: Ledger) -> None:
    first = enter(ledger, 3)
    for edit_id in job_ids(ledger, Stage.EDIT, first)[:2]:
        finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0)
    second = enter(ledger, 3, scorers=[{"name": "simulated", "label": "other"}])

    own, shared = (gather_report(ledger.engine, run_id) for run_id in (first, second))

    assert f"2 of 3 edits were made for run {first}" in printed(shared)
    assert "were made for" not in printed(own)
    assert (shared.provenance.shared_edits, own.provenance.shared_edits) == ({first: 2}, {})


def test_every_mean_stands_beside_its_n_and_coverage(run: RunByHand) -> None:
    text = printed(gathered(run)).partition("scorer 宽")[0]

    assert cells_of(text, "category") == ["category", "n", "scored", "failed", "coverage", "mean", "95 % CI"]
    assert cells_of(text, "社会") == ["社会 (social)", "2", "1", "1", "50.0%", "6.25", "–"]
    assert cells_of(text, "物理") == ["物理 (physical)", "1", "1", "0", "100.0%", "3.00", "–"]
    assert cells_of(text, "all") == ["all (micro)", "3", "2", "1", "66.7%", "4.62", "–"]
    assert cells_of(text, "categories") == ["categories (macro)", "4.62", "–"]
    assert cells_of(text, "failures as 0, micro") == ["failures as 0, micro", "3.08", "–"]
    assert "failed: 1 edit failed" in text


def test_a_wide_terminal_is_shown_all_numbers(run: RunByHand) -> None:
    text = printed(gathered(run), width=120).partition("scorer 宽")[0]

    assert cells_of(text, "category")[5:] == ["mean", "95 % CI", "sd", "median", "min", "max"]
    assert cells_of(text, "all")[5:] == ["4.62", "–", "2.30", "4.62", "3.00", "6.25"]


def test_intervals_stand_beside_their_means_and_their_method_below(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("物理", "b")], sources=["1", "2"])
    run.edit("a", "b")
    run.score("a", "严", 4)
    run.score("b", "严", 8)

    text = printed(gathered(run))

    assert cells_of(text.partition("scorer 宽")[0], "物理")[-2:] == ["6.00", "4.00–8.00"]
    method = "95 % CI: percentile bootstrap over source images within categories, 2,000 resamples, seed 0"
    assert method in " ".join(text.split())


def test_dimensions_have_a_table_of_their_own_where_there_are_any(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("物理", "b")])
    run.edit("a", "b")
    run.score("a", "严", 4, following=3, realism=5)
    run.score("b", "严", 8, following=8)

    text = printed(gathered(run))

    assert cells_of(text.partition("by dimension")[2], "following") == [
        "following",
        "2",
        "2",
        "0",
        "100.0%",
        "5.50",
        "–",
    ]
    assert cells_of(text.partition("by dimension")[2], "realism") == ["realism", "2", "1", "0", "50.0%", "5.00", "–"]
    assert text.count("by dimension") == 1


def test_where_nothing_is_scored_there_is_a_dash_and_no_number(run: RunByHand) -> None:
    text = printed(gathered(run)).partition("scorer 宽")[2]

    assert cells_of(text, "all") == ["all (micro)", "3", "0", "2", "0.0%", "–", "–"]


def test_an_unfinished_report_says_partial_and_what_is_missing(run: RunByHand) -> None:
    RunByHand(run.ledger, seed=1)

    assert "PARTIAL: 0 edits and 1 score are still to come" in printed(gathered(run))


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
    lines = [line for line in text.splitlines() if re.search("mean|社会|物理|all ", line)]

    assert len(lines) == 4
    assert len({cell_len(line.rstrip()) for line in lines}) == 1


def test_numbers_survive_a_long_category_name_at_80_columns(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("一个名字很长的类别" * 10, "a")])
    run.edit("a")
    run.score("a", "严", 10)

    text = printed(gathered(run)).partition("scorer 宽")[0]

    assert cells_of(text, "all") == ["all (micro)", "1", "1", "0", "100.0%", "10.00", "–"]


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
    assert len(gathered(run).failures) == FAILURES_SHOWN + 3


def test_a_reason_with_the_end_of_a_log_is_cut_and_shows_it(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    run.fail_edit("a", "killed; the end of its log: " + "word " * 500)

    text = printed(gathered(run), width=200)

    assert 20 < text.count("word") < 60
    assert "…" in text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_printed_as_it_is(ledger: Ledger, text: str) -> None:
    scorers = [{"name": "simulated", "label": text}]
    run = RunByHand(ledger, [(text, text)], name=text, editor={"name": "simulated", "label": text}, scorers=scorers)
    run.edit(text)
    run.fail_score(text, text, text)

    first, table, failures = re.split(r"^scorer |^1 failed", printed(gathered(run), width=300), flags=re.MULTILINE)

    assert first.split("  benchmark ")[1] == f"{text}  editor {text}\nPARTIAL".partition("\n")[0] + "\n\n"
    assert table.startswith(text)
    assert cells_of(table, text)[0] == text
    assert cells_of(failures, "score (") == [f"score ({text})", text, text, "model", text]


@pytest.mark.parametrize("acts", ["\x1b[2J", "\x9b31m", "\u202e", "\x07", "\u2066"])
def test_nothing_that_a_terminal_obeys_is_printed(ledger: Ledger, acts: str) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("物理", "b")])
    run.edit("a", "b")
    run.fail_score("a", "严", f"reason{acts}of a stranger")
    run.score("b", "严", 5, **{f"named{acts}by a judge": 3})

    text = printed(gathered(run), width=200)

    assert acts[0] not in text
    assert "of a stranger" in text
    assert "by a judge" in text
