from __future__ import annotations

import statistics
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")  # benchmarks.figures.machine names the machine by it

from benchmarks.drawn_work.cases import CASES, Case
from benchmarks.drawn_work.drawing import Draw, write_benchmark
from benchmarks.drawn_work.workload import Card, Item, Workload
from benchmarks.figures.outcome import Fell, Outcome
from benchmarks.rivals.plan import Plan
from benchmarks.rivals.running import Rival, run_rival
from benchmarks.scheduling import OURS, Measured, Measurement, measure, rows_of
from benchmarks.simulation import Simulation

TWO_ITEMS = (Item("a", "x", 1, edit_seconds=10, score_seconds=2), Item("b", "x", 1, edit_seconds=6, score_seconds=4))
BY_HAND = Workload(TWO_ITEMS, load_seconds=3, batch_factors=(1.0, 1.5))
"""16 s of edits; scores in a full batch cost 1.5 / 2 of what they do alone: 4.5 s. 20.5 s in all."""

SMALL = Case("10 x 2", 10, (1.0, 1.0), 3.5, goal=9, rivals=())


@pytest.mark.parametrize(
    ("cards", "seconds"),
    [
        ([Card()], 2 * 3 + 20.5),
        ([Card(), Card()], 3 + 20.5 / 2),
        ([Card(), Card(0.5)], 3 + 20.5 / 1.5),
        ([Card(), Card(dies_at=7.0)], 7 + 20.5 - 2 * 4),
        ([Card(), Card(dies_at=1.0)], 3 + 20.5),
    ],
)
def test_the_bound_is_all_work_on_all_living_cards_after_the_least_loading(cards: list[Card], seconds: float) -> None:
    assert BY_HAND.least_seconds(cards) == pytest.approx(seconds)


def test_a_batch_takes_as_long_as_its_mean_item_times_its_factor() -> None:
    assert BY_HAND.batch_seconds(TWO_ITEMS) == pytest.approx(3 * 1.5)
    assert BY_HAND.batch_seconds(TWO_ITEMS[:1]) == 2


def test_a_workload_survives_its_way_to_a_rival() -> None:
    workload = Draw(samples=10, swap_seconds=3.5).workload

    assert Workload.from_json(workload.to_json()).work_seconds == workload.work_seconds


def test_draws_differ_by_seed_and_repeat_themselves() -> None:
    assert Draw(10, 3.5, seed=1).workload == Draw(10, 3.5, seed=1).workload
    assert Draw(10, 3.5, seed=1).workload != Draw(10, 3.5, seed=2).workload


def test_runs_of_one_case_share_the_scorer_and_differ_in_the_editor() -> None:
    first, second = Draw(10, 3.5, editor=0), Draw(10, 3.5, editor=1)

    assert first.scorer_options == second.scorer_options
    assert first.editor_options != second.editor_options


@pytest.mark.parametrize("swap_seconds", [3.5, 30])
def test_in_simulated_time_270_samples_on_6_cards_end_within_6_percent_of_the_bound(swap_seconds: float) -> None:
    cards = [Card()] * 6
    for seed in range(5):
        workload = Draw(270, swap_seconds, seed=seed).workload
        over = Simulation(workload, cards).run().seconds / workload.least_seconds(cards)
        assert 1 <= over <= 1.06


@pytest.mark.parametrize("case", [case for case in CASES if case.is_plain], ids=lambda case: case.name)
def test_the_rule_itself_reaches_the_goals_that_the_farm_is_held_to(case: Case) -> None:
    ratios = [
        Simulation(case.draws(1.0, seed)[0].workload, case.cards(1.0, seed)).run().seconds / case.bound(1.0, seed)
        for seed in range(3)
    ]

    assert 1 <= statistics.median(ratios) <= case.goal


def test_a_row_says_whether_the_median_reaches_the_goal_and_why_there_is_none() -> None:
    case = Case("c", 10, (1.0,), 3.5, goal=1.05, rivals=())
    outcomes = [Outcome(10.0), Outcome(10.4), Outcome(99.0)]

    near = next(rows_of(case, 10.0, {OURS: Measured(outcomes)}))
    far = next(rows_of(case, 9.0, {OURS: Measured(outcomes)}))
    fell = next(rows_of(case, 9.0, {OURS: Measured(outcomes, fell="3 of 10 scores")}))

    assert (near.over_the_bound, near.holds) == (pytest.approx(1.04), True)
    assert far.holds is False
    assert (fell.makespan_seconds, fell.holds, fell.note) == (None, False, "3 of 10 scores")


def test_a_rival_without_its_library_is_named_as_missing() -> None:
    plan = Plan(BY_HAND, [1.0])

    with pytest.raises(Fell, match="no_such_library is not installed"):
        run_rival(Rival("ray_actors", needs="no_such_library"), plan, 1.0)


@pytest.mark.parametrize(
    "rival", [Rival("first_scripts", ("all",)), Rival("first_scripts", ("one",)), Rival("pool")], ids=str
)
def test_a_rival_takes_no_less_than_the_bound(rival: Rival) -> None:
    workload = Draw(10, 3.5, scale=0.02).workload
    bound = workload.least_seconds([Card(), Card()])

    assert bound <= run_rival(rival, Plan(workload, [1.0, 1.0]), bound, sys.executable).seconds < 5 * bound


def test_the_farm_reads_the_items_that_were_drawn(tmp_path: Path) -> None:
    from producer.benchmark import open_benchmark

    workload = Draw(10, 3.5).workload
    write_benchmark(tmp_path / "benchmark.json", workload, "a remark")

    samples = list(open_benchmark(tmp_path / "benchmark.json"))
    assert [getattr(sample, "key", sample) for sample in samples] == [item.key for item in workload.items]


@pytest.mark.chaos
@pytest.mark.integration
def test_a_real_farm_is_measured_against_the_bound() -> None:
    measured = measure(Measurement(SMALL, rivals=False))

    row = next(rows_of(SMALL, SMALL.bound(0.1, 0), measured))
    assert row.note == ""
    assert row.over_the_bound is not None
    assert row.over_the_bound >= 1
    assert row.swaps is not None
    assert row.swaps <= 1
