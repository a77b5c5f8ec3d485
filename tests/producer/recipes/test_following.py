"""A run that follows a recipe: its judge asks as the authors do, and keeps which recipe it was."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from db.configuration import RunConfiguration
from db.errors import WrongCall
from producer.choices import choose, choose_given, choose_scorers
from producer.recipes.follow import following
from producer.recipes.recipe import read_recipe
from tests.producer.recipes.followed import API, SERVER, chosen, gedit


def test_a_judge_gets_the_rubric_and_the_settings_of_the_recipe(tmp_path: Path) -> None:
    configuration = chosen(gedit(tmp_path))

    options = configuration.scorers[0].options
    assert (options["model"], options["max_new_tokens"], options["temperature"]) == ("gpt-4.1", 1400, 1.0)
    assert (options["image_format"], options["jpeg_quality"]) == ("jpeg", 75)
    assert options["rubric"]["score"] == "O"
    assert configuration.recipe is not None
    assert (configuration.recipe.name, configuration.recipe.judge) == ("gedit", "gpt-4.1")


def test_what_a_person_says_goes_before_the_recipe(tmp_path: Path) -> None:
    options = chosen(gedit(tmp_path), "scorer.model=other", "scorer.temperature=0").scorers[0].options

    assert (options["model"], options["temperature"], options["max_new_tokens"]) == ("other", 0, 1400)


def test_a_judge_on_this_machine_takes_the_settings_that_it_has(tmp_path: Path) -> None:
    configuration = choose(
        file=None,
        editor=None,
        scorers=["transformers"],
        settings=["scorer.model=Qwen/Qwen3-VL"],
        others={},
        recipe=gedit(tmp_path),
    )

    options = configuration.scorers[0].options
    assert options["max_new_tokens"] == 1400
    assert "jpeg_quality" not in options
    assert options["rubric"]["resize"]["area"] == 512 * 512


def test_other_scorers_stay_beside_the_judge(tmp_path: Path) -> None:
    entries = [{"name": "psnr", "options": {}}, {"name": "api", "options": {"base_url": "http://127.0.0.1:1/v1"}}]

    psnr, judge = gedit(tmp_path).scorers(entries)

    assert psnr == entries[0]
    assert "rubric" in judge["options"]


def test_the_recipe_is_in_the_digest_of_a_run_and_its_prompts_too(tmp_path: Path) -> None:
    one = chosen(gedit(tmp_path))
    prompts = tmp_path / "viescore" / "vie_prompts.py"
    prompts.write_text(prompts.read_text().replace("How natural", "How very natural"))
    other = chosen(following("gedit", tmp_path))

    assert len({one.digest(), other.digest(), one.model_copy(update={"recipe": None}).digest()}) == 3
    assert RunConfiguration.model_validate(one.model_dump(mode="json")).digest() == one.digest()


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (
            {"name": "psnr", "options": {}},
            "--recipe gedit needs a judge, and psnr is none: name one with --scorer",
        ),
        (
            {"name": "api", "options": {"prompts": {"default": {"user": "a"}}}},
            "--recipe gedit asks in its own words: leave out prompts of scorer 'api'",
        ),
        (
            {"name": "api", "label": "j", "options": {"rubric": {}}},
            "--recipe gedit asks in its own words: leave out rubric of scorer 'j'",
        ),
    ],
)
def test_scorers_that_cannot_follow_are_refused(tmp_path: Path, entry: dict[str, Any], complaint: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(complaint)):
        gedit(tmp_path).scorers([entry])


def test_an_aggregate_beside_a_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="aggregate: scorer 'api' has a rubric, which says how its score is made"):
        chosen(gedit(tmp_path), others={"aggregate": "mean"})


def test_given_edits_are_judged_by_a_recipe_too(tmp_path: Path) -> None:
    configuration = choose_given("theirs", file=None, scorers=API, settings=[SERVER], others={}, recipe=gedit(tmp_path))

    assert configuration.recipe is not None and configuration.editor.label == "theirs"


def test_a_rescore_follows_the_recipe_that_is_asked_for_and_leaves_that_of_the_run(tmp_path: Path) -> None:
    plain, followed = chosen(None, "scorer.model=m"), chosen(gedit(tmp_path))
    nothing: dict[str, Any] = {"file": None, "others": {}}

    anew = choose_scorers(plain.model_dump(mode="json"), **nothing, scorers=[], settings=[], recipe=gedit(tmp_path))
    again = choose_scorers(followed.model_dump(mode="json"), **nothing, scorers=[], settings=["scorer.repeats=2"])
    others = choose_scorers(followed.model_dump(mode="json"), **nothing, scorers=["psnr"], settings=[])

    assert [one.recipe and one.recipe.name for one in (anew, again, others)] == ["gedit", "gedit", None]


def test_a_rescore_by_a_recipe_asks_the_runs_own_judge_in_the_recipes_way(tmp_path: Path) -> None:
    plain = chosen(None, "scorer.model=m", "scorer.max_image_pixels=5000", others={"aggregate": "mean"})
    stored = plain.with_prompts({}).model_dump(mode="json")
    nothing: dict[str, Any] = {"file": None, "others": {}, "scorers": []}

    once = choose_scorers(stored, **nothing, settings=["scorer.max_new_tokens=9"], recipe=gedit(tmp_path))
    twice = choose_scorers(once.model_dump(mode="json"), **nothing, settings=[], recipe=gedit(tmp_path))

    options = [one.scorers[0].options for one in (once, twice)]
    assert [one["max_new_tokens"] for one in options] == [9, 1400]
    assert [(one["model"], one["max_image_pixels"], one["image_format"]) for one in options] == [
        ("m", 5000, "jpeg")
    ] * 2
    assert once.aggregate is None


def test_a_rescore_whose_file_names_no_scorers_keeps_the_recipe(tmp_path: Path) -> None:
    stored = chosen(gedit(tmp_path)).model_dump(mode="json")
    for name, content in (("urgent.yaml", "priority: high"), ("other.yaml", "scorers: [psnr]")):
        (tmp_path / name).write_text(content)

    urgent, other = (
        choose_scorers(stored, file=tmp_path / name, scorers=[], settings=[], others={})
        for name in ("urgent.yaml", "other.yaml")
    )

    assert urgent.recipe is not None and other.recipe is None


def test_of_a_rescores_file_what_is_about_scoring_counts_beside_a_recipe_too(tmp_path: Path) -> None:
    stored = chosen(None, "scorer.model=m", others={"repeats": 2}).model_dump(mode="json")
    for name, content in (("other.yaml", "{repeats: 3, priority: high}"), ("mean.yaml", "aggregate: mean")):
        (tmp_path / name).write_text(content)
    nothing: dict[str, Any] = {"scorers": [], "settings": [], "others": {}, "recipe": gedit(tmp_path)}

    other = choose_scorers(stored, file=tmp_path / "other.yaml", **nothing)

    assert (other.repeats, other.priority) == (2, "high")
    with pytest.raises(WrongCall, match="aggregate: scorer 'api' has a rubric"):
        choose_scorers(stored, file=tmp_path / "mean.yaml", **nothing)


def test_a_judge_on_this_machine_is_not_given_the_name_of_the_authors(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match="scorer 'transformers': model: Field required"):
        choose(file=None, editor=None, scorers=["transformers"], settings=[], others={}, recipe=gedit(tmp_path))


def test_a_run_keeps_which_recipe_it_was_and_what_is_to_be_known_of_it(tmp_path: Path) -> None:
    text = (Path(read_recipe.__code__.co_filename).parent / "gedit.yaml").read_bytes()
    (tmp_path / "MINE.YAML").write_bytes(text)

    mine = read_recipe(str(tmp_path / "MINE.YAML"))

    assert mine == read_recipe("gedit")
    assert mine.followed().digest == hashlib.sha256(text).hexdigest()
    assert mine.followed().notes == mine.notes and mine.notes
    assert mine.files() == ["viescore/vie_prompts.py", "GEdit-Bench/viescore/vie_prompts.py", "vie_prompts.py"]
