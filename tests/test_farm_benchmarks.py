"""The benchmarks of the farm itself: what they compute, that each can fall short, and one small run of each."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from pyarrow.parquet import ParquetFile
from sqlalchemy import Engine

pytest.importorskip("torch")  # benchmarks.figures.machine names the machine by it

import click

from benchmarks import footprint, growth, ingestion, plumbing
from benchmarks.figures.goals import Figure, Goal, Measured, chosen_by_name, figures_table, in_rounds, publish
from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.databases import SQLITE
from benchmarks.measured_farm.parquet_samples import largest_group_bytes, write_parquet, write_parquet_with_images
from benchmarks.measured_farm.samples import photo_png, tiny_png, with_remark, write_lines, write_original
from benchmarks.measured_farm.stretches import Stretch, busy_percent, gaps_of, median_and_p95_ms
from db.ledger import Ledger
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.queries import progress_of
from db.tables import Stage
from producer.benchmark import open_benchmark
from producer.benchmark.sample import Sample
from tests.factories import enter

GAP = Figure.at_most("c", "gap", "ms", 4)
RATE = Figure.at_least("c", "rate", "pairs/s", 150)


# -- goals -------------------------------------------------------------------------------------------------------------


def test_a_goal_that_is_missed_falls_short() -> None:
    assert Goal("over the bound", 1.03).holds(1.03)
    assert not Goal("over the bound", 1.03).holds(1.031)
    assert not Goal("times ours", 1.45, at_most=False).holds(1.449)
    assert not Goal("over the bound", 1.03).holds(None)


def test_a_row_holds_the_median_of_its_rounds_to_its_goal() -> None:
    rounds: Iterator[Sequence[float]] = iter([(3.0, 149.0), (99.0, 148.0), (4.0, 999.0)])

    gap, rate = in_rounds([GAP, RATE], lambda: next(rounds), 3)

    assert (gap.value, gap.goal, gap.holds) == (4.0, "ms <= 4", True)
    assert (rate.value, rate.goal, rate.holds) == (149.0, "pairs/s >= 150", False)
    assert rate.every_value == (149.0, 148.0, 999.0)


def test_a_round_that_fell_makes_every_goal_fall_short_and_says_why() -> None:
    def falls() -> Sequence[float]:
        raise Fell("the workers did not come")

    rows = list(in_rounds([GAP, Figure("c", "seconds", "s")], falls, 3))

    assert [(row.value, row.holds, row.note) for row in rows] == [
        (None, False, "the workers did not come"),
        (None, None, "the workers did not come"),
    ]


@pytest.mark.parametrize(("value", "code", "word"), [(3.0, 0, "holds"), (5.0, 1, "falls short")])
def test_rows_are_told_as_json_lines_and_as_a_table_and_by_the_exit_code(value: float, code: int, word: str) -> None:
    @click.command()
    def told() -> None:
        publish([GAP.row([value])], figures_table, as_json=True)

    result = CliRunner().invoke(told)

    assert result.exit_code == code
    assert json.loads(result.stdout)["holds"] is (word == "holds")
    assert f"| {value:.2f} ms |  | ms <= 4 | {word} |" in result.stderr


def test_a_table_tells_each_of_several_rounds() -> None:
    assert "| 3.00 ms | 5.00, 2.00, 3.00 | ms <= 4 | holds |" in figures_table([GAP.row([5.0, 2.0, 3.0])])


def test_cases_are_chosen_by_how_their_names_begin() -> None:
    cases = plumbing.cases()

    assert len(chosen_by_name(cases, ["no-op"])) == 4
    assert chosen_by_name(cases, []) == cases
    with pytest.raises(click.BadParameter, match="no case begins with 'nothing'"):
        chosen_by_name(cases, ["nothing"])


# -- figures -----------------------------------------------------------------------------------------------------------


def stretch(worker: str, began: float, ended: float, stage: Stage = Stage.EDIT, since: float = 0.0) -> Stretch:
    return Stretch(worker, stage, began, ended, since)


def test_a_gap_lies_between_two_jobs_of_one_worker_and_stage_of_which_the_later_waited() -> None:
    changes_sides = stretch("a", 3.5, 4, Stage.SCORE)
    had_to_come_first = stretch("a", 9, 10, Stage.SCORE, since=8)
    stretches = [stretch("a", 0, 1), stretch("b", 0, 3), stretch("a", 1.5, 3), changes_sides, had_to_come_first]

    assert gaps_of(stretches) == [0.5]


def test_gaps_are_told_in_milliseconds_and_too_few_are_none() -> None:
    median, p95 = median_and_p95_ms([0.001 * number for number in range(1, 102)])

    assert (median, p95) == (pytest.approx(51), pytest.approx(96))
    with pytest.raises(Fell):
        median_and_p95_ms([0.1])


def test_the_busy_share_is_that_of_all_workers_between_the_first_and_the_last_edit() -> None:
    scores_and_goes_on = stretch("b", 6, 99, Stage.SCORE)

    assert busy_percent([stretch("a", 0, 10), stretch("b", 0, 4), scores_and_goes_on]) == pytest.approx(90)


def test_growth_is_to_the_least_of_all_smaller_sizes() -> None:
    assert growth.with_growth([2.0, 1.0, 3.0]) == [2.0, 1.0, 3.0, 0.5, 3.0]
    assert len(growth.figures_of(SQLITE, (1, 2, 3))) == 5 * len(growth.COSTS)


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_remark_makes_another_file_of_the_same_picture() -> None:
    plain = photo_png(0, side=32)
    remarked = with_remark(plain, "number 1")

    assert remarked != plain
    assert Image.open(io.BytesIO(remarked)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()


def test_an_original_file_is_as_large_as_told_and_its_photos_stand_where_it_says(tmp_path: Path) -> None:
    file = tmp_path / "original.json"
    places = write_original(file, 3, drawn=1)

    samples = [sample for sample in open_benchmark(file) if isinstance(sample, Sample)]
    content = file.read_bytes()
    assert 3e6 <= len(content) < 6e6
    assert [base64.b64decode(content[place]) for place in places] == [sample.source for sample in samples]
    assert len({sample.source for sample in samples}) == len(samples)


def test_lines_share_their_images_in_turns(tmp_path: Path) -> None:
    file = write_lines(tmp_path, 3, images=[tiny_png(0), tiny_png(1)])

    sources = [sample.source for sample in open_benchmark(file) if isinstance(sample, Sample)]
    assert sources == [tiny_png(0), tiny_png(1), tiny_png(0)]


def test_parquet_has_the_samples_of_the_lines(tmp_path: Path) -> None:
    images = [tiny_png(0), tiny_png(1)]

    of_lines, of_parquet = (
        list(open_benchmark(write(tmp_path, 3, images=images))) for write in (write_lines, write_parquet)
    )
    assert all(isinstance(sample, Sample) for sample in of_lines)
    assert [replace(sample, place="") for sample in of_parquet] == [replace(sample, place="") for sample in of_lines]


def test_parquet_with_images_has_one_of_its_own_for_each_sample_in_small_row_groups(tmp_path: Path) -> None:
    file = write_parquet_with_images(tmp_path, 250, images=[tiny_png(0), tiny_png(1)])

    samples = [sample for sample in open_benchmark(file) if isinstance(sample, Sample)]
    assert len({sample.source for sample in samples}) == len(samples) == 250
    with ParquetFile(file) as opened:
        assert [opened.metadata.row_group(number).num_rows for number in range(3)] == [100, 100, 50]
    assert 100 * len(tiny_png(0)) < largest_group_bytes(file) < 200 * len(tiny_png(0))


def test_every_case_of_taking_in_has_a_name_of_its_own_and_the_largest_file_one_round() -> None:
    cases = ingestion.cases(400, 1000, 100_000)

    assert len({case.name for case in cases}) == len(cases)
    assert [case.name for case in cases if case.usual_rounds == 1] == ["one JSON file of 1000 MB, images in base64"]
    assert len(chosen_by_name(cases, ["Parquet"])) == 3


def test_a_run_that_is_finished_by_hand_reads_as_done(ledger: Ledger, engine: Engine) -> None:
    run = enter(ledger, samples=3)

    growth.finish(engine, run)

    assert progress_of(engine, run).complete


# -- real runs ---------------------------------------------------------------------------------------------------------


def measured_by(rows: Sequence[Measured]) -> dict[str, float]:
    assert not [row.note for row in rows if row.value is None]
    return {row.figure: row.value for row in rows if row.value is not None}


@pytest.mark.chaos
@pytest.mark.integration
def test_gaps_of_a_real_farm_are_measured() -> None:
    quick = SimulatedEditorOptions(seconds=0.2), SimulatedScorerOptions(seconds=0.1, batch_size=1)
    case = plumbing.gaps_between_jobs(SQLITE, workers=2, options=quick, share=0.25)

    measured = measured_by(plumbing.rows_of(case, 1))

    assert 0 < measured["gap between two jobs, median"] <= measured["gap between two jobs, p95"]


@pytest.mark.chaos
@pytest.mark.integration
def test_the_costs_of_two_sizes_are_measured() -> None:
    rows = list(growth.rows_of(SQLITE, (200, 300), 1))

    assert len(rows) == 3 * len(growth.COSTS)
    assert all(row.value for row in rows), rows


@pytest.mark.chaos
@pytest.mark.integration
def test_taking_in_a_file_is_held_against_the_least() -> None:
    measured = measured_by([*ingestion.OriginalFile(3).rows(1), *ingestion.ByPath(50, 5).rows(1)])
    table = measured_by([*ingestion.ByPath(50, 5, written_as=ingestion.CSV).rows(1)])

    assert table["submitted"] > 0
    assert measured["submitted, to the least"] > 1
    assert measured["peak memory of the whole command"] > 20
    assert measured["submitted"] > 0


@pytest.mark.chaos
@pytest.mark.integration
def test_taking_in_parquet_is_measured_with_images_by_path_and_inside() -> None:
    by_path = measured_by([*ingestion.ByPath(50, 5, written_as=ingestion.PARQUET).rows(1)])
    inside = measured_by([*ingestion.ImagesInParquet(150).rows(1)])

    assert by_path["submitted"] > 0
    assert inside["size of the file"] > inside["size of its largest row group"] > 1
    assert inside["peak memory of the whole command"] > inside["peak memory beyond that with one sample"]


@pytest.mark.chaos
@pytest.mark.integration
def test_a_farm_that_starts_is_measured() -> None:
    measured = measured_by([*footprint.farm_rows(2, 1)])

    assert 0.2 < measured["ready after"] < 60
    assert 1 < measured["peak memory of the embedded broker"] < 100
