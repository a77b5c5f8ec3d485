"""`import-scores`: what others have published enters the ledger unchanged."""

from __future__ import annotations

import math
from statistics import fmean

import pytest
from sqlalchemy import select

from db.decode import decode_image
from db.engine import reading
from db.queries import all_runs, find_run, progress_of
from db.tables import State, run_scorers, samples
from producer.published_scores.placeholders import placeholder
from tests.db.steps import edit_outcomes, score_outcomes, scorer_labels
from tests.producer.published_scores.importing import Importer, line, only


def test_every_editor_is_a_run_with_its_scores_as_they_were_given(importer: Importer) -> None:
    values = {("model-x", "p-1"): 1 / 3, ("model-x", "p-2"): 0.1 + 0.2, ("model-y", "p-1"): 10, ("model-y", "p-2"): 0}
    imported = importer(*(line(editor=editor, sample=key, value=value) for (editor, key), value in values.items()))

    assert list(imported.run_ids) == ["model-x", "model-y"]
    assert imported.new == list(imported.run_ids.values())
    for editor, run_id in imported.run_ids.items():
        run = find_run(importer.ledger.engine, run_id)
        assert run.configuration["editor"]["label"] == editor
        assert (run.benchmark_name, run.is_imported) == ("published", True)
        expected = {("物理", key, 0, "gpt-4o", 0): value for (one, key), value in values.items() if one == editor}
        assert importer.given(run_id) == expected  # to the last bit
        assert progress_of(importer.ledger.engine, run_id).complete


def test_all_editors_of_a_file_are_of_one_benchmark(importer: Importer) -> None:
    importer(line(instruction="make it rain"), line(editor="model-y"))

    assert len({run.benchmark_id for run in all_runs(importer.ledger.engine)}) == 1
    with reading(importer.ledger.engine) as connection:
        assert connection.execute(select(samples.c.key, samples.c.instruction)).all() == [("p-1", "make it rain")]


def test_repeats_of_edits_and_of_judges_are_kept_apart(importer: Importer) -> None:
    numbers = [(repeat, judging) for repeat in range(2) for judging in range(3)]

    run_id = only(importer(*(line(repeat=one, judge_repeat=two, value=one + two / 10) for one, two in numbers)))

    assert importer.given(run_id) == {("物理", "p-1", one, "gpt-4o", two): one + two / 10 for one, two in numbers}
    assert scorer_labels(importer.ledger.engine, run_id) == ["gpt-4o"]
    configuration = find_run(importer.ledger.engine, run_id).configuration
    assert (configuration["repeats"], configuration["scorers"][0]["repeats"]) == (2, 3)


def test_dimensions_stand_beside_the_score_that_was_published(importer: Importer) -> None:
    run_id = only(
        importer(
            line(dimension="SC", value=9, reasoning="done"),
            line(dimension="overall", value=6.1),
            line(dimension="PQ", value=4),
        )
    )

    assert importer.given(run_id) == {("物理", "p-1", 0, "gpt-4o", 0): 6.1}
    assert importer.details() == [{"reasoning": "done", "criteria": {"SC": 9.0, "PQ": 4.0}}]


@pytest.mark.parametrize(("aggregate", "score"), [(None, 6.5), ("min", 4.0), ("sqrt(SC*PQ)", 6.0)])
def test_of_dimensions_alone_a_score_is_made(importer: Importer, aggregate: str | None, score: float) -> None:
    lines = [line(dimension="SC", value=9), line(dimension="PQ", value=4), line(scorer="human", value=3)]

    imported = importer(*lines, aggregate=aggregate)

    assert importer.given(only(imported))["物理", "p-1", 0, "gpt-4o", 0] == score
    assert imported.aggregated == ["gpt-4o"]
    assert find_run(importer.ledger.engine, only(imported)).configuration["aggregate"] == (aggregate or "mean")


def test_a_scale_is_kept_with_its_scorers(importer: Importer) -> None:
    run_id = only(importer(line(value=85), line(sample="p-2", value=1), scale=(1.0, 100.0)))

    with reading(importer.ledger.engine) as connection:
        query = select(run_scorers.c.scale_min, run_scorers.c.scale_max).where(run_scorers.c.run_id == run_id)
        assert connection.execute(query).all() == [(1.0, 100.0)]
    assert sorted(importer.given(run_id).values()) == [1, 85]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [("judge_failed", "model"), ("unparsed", "unparsed"), ("refused", "refused"), ("lost", "poison")],
)
def test_a_failure_is_a_failure_and_never_a_number(importer: Importer, failure: str, kind: str) -> None:
    run_id = only(importer(line(value=None, failure=failure, reason="it says so"), line(sample="p-2")))

    assert importer.given(run_id) == {("物理", "p-1", 0, "gpt-4o", 0): kind, ("物理", "p-2", 0, "gpt-4o", 0): 7.5}
    (failed,) = [row for row in score_outcomes(importer.ledger.engine, run_id) if row.state == State.FAILED]
    assert failed.failure_reason == "it says so"


@pytest.mark.parametrize(("failure", "kind"), [("edit_failed", "model"), ("missing", "missing")])
def test_an_edit_that_failed_has_no_scores_by_anyone(importer: Importer, failure: str, kind: str) -> None:
    lines = [line(value=None, failure=failure), line(sample="p-2"), line(sample="p-2", scorer="human", value=1)]

    run_id = only(importer(*lines))

    outcomes = [(row.key, row.state, row.failure_kind) for row in edit_outcomes(importer.ledger.engine, run_id)]
    assert outcomes == [("p-1", "failed", kind), ("p-2", "done", None)]
    assert len(importer.given(run_id)) == 2


def test_a_dimension_that_failed_fails_the_score_that_is_made_of_it(importer: Importer) -> None:
    lines = [line(dimension="SC", value=9), line(dimension="PQ", value=None, failure="unparsed")]

    run_id = only(importer(*lines, line(sample="p-2", dimension="SC"), line(sample="p-2", dimension="PQ", value=7)))

    found = importer.given(run_id)
    assert [found["物理", key, 0, "gpt-4o", 0] for key in ("p-1", "p-2")] == ["unparsed", 7.25]
    assert importer.details()[0]["criteria"] == {"SC": 9.0}


def test_samples_of_one_source_share_an_image_and_others_have_their_own(importer: Importer) -> None:
    importer(
        line(sample="p-1", source="cat.png"),
        line(sample="p-2", source="cat.png"),
        line(sample="p-3"),
        line(sample="p-3", category="社会"),
    )

    with reading(importer.ledger.engine) as connection:
        digests = list(connection.scalars(select(samples.c.source_image).order_by(samples.c.position)))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert all(decode_image(importer.images.get(digest)).size == (1, 1) for digest in digests)


def test_a_placeholder_is_a_png_that_says_what_it_stands_for() -> None:
    assert "评测\nsource\n猫.png".encode() in placeholder("评测", "source", "猫.png")
    assert decode_image(placeholder("a")).getpixel((0, 0)) == (128, 128, 128)


def test_the_mean_of_what_was_entered_is_the_published_one(importer: Importer) -> None:
    values = [math.sin(number) * 5 + 5 for number in range(500)]

    run_id = only(importer(*(line(sample=f"p-{number}", value=value) for number, value in enumerate(values))))

    assert fmean(importer.given(run_id).values()) == fmean(values)
