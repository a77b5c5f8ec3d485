"""What the page on scaling says is what its script computes, from what was measured."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")  # benchmarks.figures.machine names the machine by it

from benchmarks import many_workers
from benchmarks.figures.tables import with_tables
from benchmarks.many_workers import ROWS
from benchmarks.measured_farm.clocked import read_clocked
from benchmarks.measured_farm.meters import Load
from benchmarks.measured_farm.site import job_and_second
from benchmarks.scaling import CONSTANTS, PAGE, Costs, Demand, all_tables, shown

COSTS = Costs(**{field.name: 1.0 for field in fields(Costs)})


def test_the_page_holds_the_tables_of_the_script() -> None:
    page = PAGE.read_text(encoding="utf-8")
    tables = all_tables(Costs.read())
    assert all(table in page for table in tables.values()), "run `python -m benchmarks.scaling --write`"
    assert with_tables(page, tables) == page


def test_a_table_is_put_between_its_marks_and_nothing_else_changes() -> None:
    page = "before\n<!-- computed: one -->\nold\nold\n<!-- end -->\nafter\n"
    assert with_tables(page, {"one": "new", "other": "none"}) == page.replace("old\nold", "new")
    empty = "<!-- computed: one -->\n<!-- end -->\n"
    assert with_tables(empty, {"one": "new"}) == "<!-- computed: one -->\nnew\n<!-- end -->\n"


def test_a_load_is_what_the_jobs_cost_and_what_the_time_costs() -> None:
    costs = replace(COSTS, job_transactions=10.0, second_transactions=0.5)
    demand = Demand(costs, gpus=72, score_seconds=3.0)
    assert demand.samples == 2.0
    assert demand.transactions == 2 * 2.0 * 10.0 + 72 * 0.5
    assert demand.requests == 2.0 * 4


def test_two_loads_tell_a_jobs_cost_from_that_of_time() -> None:
    def load(jobs: int) -> Load:
        """So many jobs of 7 transactions in 10 seconds, in each of which 4 workers cost 2."""
        return Load(10.0, 0.0, 0.0, 7.0 * jobs + 10.0 * 4 * 2.0, 0.0)

    a_job, a_second = job_and_second(load(100), 100, load(20), 20, workers=4)
    assert (a_job["transactions"], a_second["transactions"]) == (pytest.approx(7.0), pytest.approx(2.0))


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.012"), (1.26, "1.3"), (98.7, "99"), (12_345, "12,000")]
)
def test_figures_are_shown_as_exactly_as_they_are_known(value: float, text: str) -> None:
    assert shown(value) == text


def test_clocks_are_read_by_what_they_timed(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("claim 0.001000 5\ncommit 0.002000 7\n")
    (tmp_path / "2.txt").write_text("claim 0.003000 5\n")
    found = read_clocked(tmp_path)
    assert sorted(found["claim"]) == [(0.001, 5), (0.003, 5)]
    assert found["commit"] == [(0.002, 7)]


@pytest.mark.chaos
@pytest.mark.integration
def test_a_quick_look_measures_every_figure(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    result = CliRunner().invoke(many_workers.main, ["--workers", "2", "--quick", "--keep", str(kept)])
    assert result.exit_code == 0, result.output
    assert all(f"| {name}" in result.stdout for name in ROWS)
    assert not kept.exists()
    assert set(json.loads(CONSTANTS.read_text(encoding="utf-8"))) >= set(ROWS)
