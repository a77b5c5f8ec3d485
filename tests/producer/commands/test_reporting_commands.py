"""`report` and `compare` as commands: where what is written goes, and what is refused."""

from __future__ import annotations

import csv
import io
import json

import pytest

from db.ledger import Ledger
from tests.factories import png
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Shell

pytestmark = pytest.mark.integration


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    """A run with one score."""
    run = RunByHand(ledger)
    run.edit("a")
    run.score("a", "严", 6.25)
    return run


def test_without_a_format_it_is_a_table(shell: Shell, run: RunByHand) -> None:
    done = shell("report", run.id)

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"run {run.id}  benchmark 评测  editor simulated\nPARTIAL: ")


def test_json_is_a_format_and_a_flag(shell: Shell, run: RunByHand) -> None:
    by_format, by_flag = shell("report", run.id, "--format", "json"), shell("report", run.id, "--json")

    assert by_format.out == by_flag.out
    assert json.loads(by_format.out)["schema"] == "editfarm.report/2"


def test_csv_is_nothing_but_csv(shell: Shell, run: RunByHand) -> None:
    rows = list(csv.DictReader(io.StringIO(shell("report", run.id, "--format", "csv").out)))

    assert {row["run"] for row in rows} == {run.id}


@pytest.mark.parametrize("format_name", ["table", "json", "csv", "md"])
def test_a_file_holds_it_whole_and_stdout_nothing(shell: Shell, run: RunByHand, format_name: str) -> None:
    done = shell("report", run.id, "--format", format_name, "-o", "there")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert "6.25" in (shell.folder / "there").read_text(encoding="utf-8")
    assert sorted(path.name for path in shell.folder.iterdir()) == ["farm", "there"]


def test_a_file_that_cannot_be_written_is_one_line(shell: Shell, run: RunByHand) -> None:
    done = shell("report", run.id, "-o", "nowhere/there")

    assert (done.code, done.complaint) == (2, "error: -o nowhere/there: there is no folder nowhere")


@pytest.mark.parametrize("flags", [["--json"], ["--format", "html", "--single-file"]])
def test_a_folder_in_the_place_of_a_file_is_one_line(shell: Shell, run: RunByHand, flags: list[str]) -> None:
    done = shell("report", run.id, *flags, "-o", ".")

    assert (done.code, done.complaint) == (2, "error: -o .: is a folder; expected a file")


def test_a_file_in_the_place_of_a_gallerys_folder_is_one_line(shell: Shell, run: RunByHand) -> None:
    (shell.folder / "there").write_text("mine")

    done = shell("report", run.id, "--format", "html", "-o", "there")

    assert done.code == 2
    assert "a gallery is a folder" in done.complaint
    assert (shell.folder / "there").read_text() == "mine"


def test_a_gallery_goes_where_it_is_told_and_its_path_to_stdout(shell: Shell, run: RunByHand) -> None:
    done = shell("report", run.id, "--format", "html", "-o", "pictures")

    assert done.code == 0
    assert done.out.strip() == "pictures/index.html"
    assert run.id in (shell.folder / "pictures" / "index.html").read_text(encoding="utf-8")


def test_a_gallery_without_a_place_goes_into_the_farms_home(shell: Shell, run: RunByHand) -> None:
    folder, file = (
        shell("report", run.id, "--format", "html"),
        shell("report", run.id, "--format", "html", "--single-file"),
    )

    assert folder.out.strip() == str(shell.home / "reports" / run.id / "index.html")
    assert file.out.strip() == str(shell.home / "reports" / f"{run.id}.html")
    assert (shell.home / "reports" / f"{run.id}.html").stat().st_size > 10_000


def test_one_file_is_only_of_a_gallery(shell: Shell, run: RunByHand) -> None:
    assert "--single-file is of `--format html`" in shell("report", run.id, "--single-file").complaint


def test_an_unknown_run_is_one_line(shell: Shell, run: RunByHand) -> None:
    for command in (["report", "nope"], ["compare", run.id, "nope"], ["report", "--diff-config", "nope", run.id]):
        done = shell(*command)
        assert (done.code, done.complaint) == (2, "error: the ledger has no run 'nope'")


def test_what_was_retried_can_be_left_out(shell: Shell, ledger: Ledger, run: RunByHand) -> None:
    run.fail_edit("b")
    assert shell("retry", run.id).code == 0
    run.edit("b")
    run.score("b", "严", 1)

    means = [
        json.loads(shell("report", run.id, "--json", *flags).out)["scorers"][0]["dimensions"][0]["overall"]["mean"]
        for flags in ([], ["--without-retried"])
    ]

    assert means == [3.625, 6.25]


def test_what_differs_between_two_runs_is_told_instead(shell: Shell, ledger: Ledger, run: RunByHand) -> None:
    other = RunByHand(ledger, seed=3)

    table = shell("report", "--diff-config", run.id, other.id)
    data = json.loads(shell("report", "--diff-config", run.id, other.id, "--json").out)

    assert (table.code, table.out.splitlines()[0]) == (0, f"runs {run.id} and {other.id}: 1 different field")
    assert data["differences"] == [{"field": "seed", "first": 0, "second": 3}]
    assert "no gallery" in shell("report", "--diff-config", run.id, other.id, "--format", "html").complaint


# -- compare -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(ledger: Ledger, run: RunByHand) -> RunByHand:
    """Another run of the same benchmark, with one score."""
    other = RunByHand(ledger, fresh=True, editor={"name": "simulated", "label": "better"})
    other.edit("a")
    other.score("a", "严", 8.25)
    return other


def test_two_runs_are_compared(shell: Shell, run: RunByHand, other: RunByHand) -> None:
    table, data = shell("compare", run.id, other.id), json.loads(shell("compare", run.id, other.id, "--json").out)

    assert (table.code, table.err) == (0, "")
    assert "+2.00" in table.out
    assert (data["schema"], data["dimensions"][0]["pairs"][0]["overall"]["difference"]) == ("editfarm.compare/1", 2.0)


def test_the_pictures_of_two_runs_stand_side_by_side(shell: Shell, run: RunByHand, other: RunByHand) -> None:
    done = shell("compare", run.id, other.id, "--format", "html", "-o", "both")

    page = (shell.folder / "both" / "index.html").read_text(encoding="utf-8")
    assert (done.code, done.out.strip()) == (0, "both/index.html")
    assert run.id in page
    assert other.id in page


def test_runs_of_different_benchmarks_are_refused(shell: Shell, ledger: Ledger, run: RunByHand) -> None:
    other = RunByHand(ledger, [("物理", "x")], sources=[png(9).hex()])

    done = shell("compare", run.id, other.id)

    assert done.code == 2
    assert "--shared-only" in done.complaint


def test_one_run_alone_is_refused(shell: Shell, run: RunByHand) -> None:
    assert "two runs at least" in shell("compare", run.id).complaint
