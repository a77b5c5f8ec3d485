"""What a run keeps of the recipe by which its scores were imported."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from sqlalchemy import select

from db.engine import reading
from db.outcomes import asked_scorers
from db.queries import all_runs, find_run
from db.tables import samples
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from tests.producer.published_scores.by_recipe import PQ, SC, gedit, number, reply, reported, rows
from tests.producer.published_scores.importing import Importer, line, only, scores_file
from tests.producer.recipes.official_numbers import printed
from tests.producer.shell import Shell

# -- the run -----------------------------------------------------------------------------------------------------------


def test_the_run_keeps_the_recipe_and_each_scorer_the_rubric_without_its_prompts(importer: Importer) -> None:
    lines = gedit("1", "text_change", "en", [7, 9, 8, 6])

    run_id = only(importer(*lines, number("text_change", "1", 4, scorer="human"), recipe="gedit"))

    configuration = find_run(importer.ledger.engine, run_id).configuration
    assert (configuration["recipe"]["name"], configuration["recipe"]["judge"]) == ("gedit", "gpt-4.1")
    assert configuration["imported"]["scale"] == [0, 10]
    with reading(importer.ledger.engine) as connection:
        asked = asked_scorers(connection, run_id)
    assert [scorer.label for scorer in asked] == ["gpt-4o", "human"]
    for scorer in asked:
        assert scorer.rubric is not None
        assert [question.prompt.user for question in scorer.rubric.questions] == [
            '{{ "semantic consistency: not known" }}',
            '{{ "perceptual quality: not known" }}',
        ]


def test_every_dimension_has_its_own_scale_and_the_reasons_their_questions(importer: Importer) -> None:
    report = reported(importer, "gedit", *gedit("1", "text_change", "en", [7, 9, 8, 6]))
    ruled = reported(importer, "kris", *[number("biology", "1", 3, name) for name in KRIS], name="kris")

    (row, _) = rows(importer)
    assert row.detail["reasoning"] == f"{SC}: as 7\n{PQ}: as 8"
    assert list(row.detail["criteria"].items()) == [
        *(("success", 7), ("restraint", 9), ("naturalness", 8), ("artifacts", 6)),
        *(("SC", 7), ("PQ", 6), ("O", 42**0.5)),
    ]
    assert {one.name: one.scale for one in report.scorers[0].dimensions}["SC"] == (0, 10)
    scales = {one.name: one.scale for one in ruled.scorers[0].dimensions}
    assert (scales["overall"], scales["KP"], scales["knowledge"]) == ((0, 100), (0, 100), (1, 5))


KRIS = ("consistency", "quality", "instruction", "knowledge")


def test_what_is_known_of_a_sample_is_in_its_row(importer: Importer) -> None:
    importer(
        number("a", "1", 5, fields={"n": 1, "instruction_language": " en "}, description="a street"),
        number("a", "1", 5, scorer="human", fields={"n": 1, "wet": True, "none": None}, reference="1.png"),
        number("a", "2", 5, reference_text="a wet street", reference="1.png", description=""),
        number("a", "2", 5, scorer="human"),
        recipe="gedit",
    )

    with reading(importer.ledger.engine) as connection:
        first, second = connection.execute(select(samples).order_by(samples.c.position)).all()
    assert first.fields == {"n": 1, "instruction_language": "en", "wet": True}
    assert (first.description, second.description) == ("a street", None)
    assert (second.reference_text, second.fields) == ("a wet street", None)
    assert first.reference_image == second.reference_image != first.source_image
    assert importer.images.fault(first.reference_image) is None
    assert list(findings(Inspection(importer.ledger, importer.images))) == []


def test_a_file_that_is_imported_twice_finds_the_same_runs(importer: Importer) -> None:
    lines = gedit("1", "text_change", "en", [7, 9, 8, 6])

    first = importer(*lines, recipe="gedit")
    second = importer(*lines, recipe="gedit")
    other = importer(*gedit("1", "text_change", "en", [7, 9, 8, 5]), recipe="gedit")

    assert second.run_ids == first.run_ids
    assert (len(first.new), second.new, len(other.new)) == (1, [], 1)
    assert len(all_runs(importer.ledger.engine)) == 2


def test_the_same_numbers_by_a_recipe_and_without_one_are_two_runs(importer: Importer) -> None:
    ruled = only(importer(number("a", "1", 5), recipe="gedit"))

    assert only(importer(number("a", "1", 5))) != ruled


def test_without_a_recipe_what_recipes_read_is_passed_over(importer: Importer) -> None:
    """So that files that were imported before recipes were known are the runs that they were."""
    more = {"fields": {"a": 1}, "description": "d", "reference_text": "t", "reference": "r", "question": "q"}

    plain = importer(line(), line(editor="model-y", dimension="SC"))
    told = importer(line(**more), line(editor="model-y", dimension="SC"))

    assert told.run_ids == plain.run_ids == {"model-x": "4c87ccc6272b", "model-y": "66201242af8f"}


def test_a_recipe_may_call_its_score_overall(importer: Importer, tmp_path: Path) -> None:
    path = own_recipe(tmp_path, "mark", "overall", score="overall")

    importer(number("a", "1", 3, "mark"), number("a", "1", 1, "overall"), recipe=str(path))

    (row,) = rows(importer)
    assert (row.value, row.detail["criteria"]) == (1, {"mark": 3, "overall": 1})


def own_recipe(folder: Path, *criteria: str, score: str) -> Path:
    """Write a recipe of one question, whose name would be no template, for numbers from 1 to 3 behind `Mark`."""
    given = [{"name": name, "scale": [1, 3]} for name in criteria]
    question = {
        "name": "asked {{ anew",
        "prompt": {"parts": [{"files": ["prompts.json"], "keys": ["asked"]}]},
        "show": [{"what": "edited"}],
        "answer": {"form": "labelled", "label": "Mark", "criteria": given},
    }
    own = {
        **{"name": "own", "benchmark": "ours", "follows": "nobody", "judge": "a judge"},
        **{"questions": [question], "score": score},
        "tables": [{"title": "Ours", "columns": [{"name": "mark", "of": ["mark"]}]}],
    }
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(own), encoding="utf-8")
    return path


def test_a_recipe_of_ones_own_is_a_file(importer: Importer, tmp_path: Path) -> None:
    path = own_recipe(tmp_path, "mark", score="mark")

    report = reported(importer, str(path), reply("a", "1", "Mark: 3"), number("a", "2", 2))

    assert printed(report, "Ours")["a"] == ["2.50"]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_command_needs_no_prompts_and_the_report_has_the_table(shell: Shell) -> None:
    path = scores_file(shell.folder, gedit("1", "text_change", "en", [7, 9, 8, 6]))

    done = shell("import-scores", path, "--recipe", "gedit")

    assert done.code == 0, done.err
    report = shell("report", done.out.strip())
    assert report.code == 0
    assert "GEdit-Bench, en, as its authors count" in report.out
    assert "6.481" in report.out
    assert shell("import-scores", path, "--recipe", "gedit").out == done.out
    refused = shell("import-scores", path, "--recipe", "gedit", "--scale", "0", "10")
    assert refused.code == 2
    assert refused.complaint.startswith("error: --scale beside --recipe gedit: ")
    assert shell("fsck").code == 0
