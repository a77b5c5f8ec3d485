"""What a recipe makes of the run that a person asks for."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import pytest

from db.configuration import RunConfiguration
from db.errors import WrongCall
from db.rubric import Rubric, there_is
from producer.choices import choose, choose_given, choose_scorers
from producer.recipes import recipe
from producer.recipes.follow import Following, following, require_asked
from producer.recipes.recipe import read_recipe, recipe_names
from tests.producer.recipes.copies import recipe_and_copy, write_copy

API = ["api"]
SERVER = "scorer.base_url=http://127.0.0.1:1/v1"


def gedit(folder: Path) -> Following:
    found = following("gedit", write_copy(folder, "gedit"))
    assert found is not None
    return found


def chosen(recipe: Following | None, *settings: str, scorers: list[str] | None = None, **more: Any) -> RunConfiguration:
    return choose(
        **{"file": None, "editor": None, "others": {}, **more},
        scorers=API if scorers is None else scorers,
        settings=[SERVER, *settings],
        recipe=recipe,
    )


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


# -- what is asked for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "prompts", "complaint"),
    [
        (None, "here", "--prompts here: is where a recipe finds its prompts; name one with --recipe"),
        ("gedit", None, "its prompts are read from your own copy of GEdit-Bench"),
        ("gedit", None, "there it looks for viescore/vie_prompts.py or GEdit-Bench/viescore/vie_prompts.py or vie_"),
        ("other", "here", "--recipe other: expected one of gedit, imgedit, kris, rise, or a file that ends in .yaml"),
        ("gone.yaml", "here", "gone.yaml: cannot be read: No such file or directory"),
        ("gedit", "here", "--prompts here: is no folder"),
    ],
)
def test_a_recipe_that_cannot_be_had_is_told(name: str | None, prompts: str | None, complaint: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(complaint)):
        following(name, prompts if prompts is None else Path(prompts))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[1]", "expected a mapping with `name`, `questions`, `tables` and so on"),
        ("a: [", "is not YAML: "),
        ("name: mine", "benchmark: Field required"),
        ("\x00", "is not YAML: "),
        ("name: !!int ''", "is not YAML: a value is not what its tag says"),
        ("name: !!timestamp soon", "is not YAML: a value is not what its tag says"),
        ("name: 2026-13-01", "is not YAML: month must be in 1..12"),
        ("[" * 5000, "is not YAML: maximum recursion depth exceeded"),
    ],
)
def test_a_file_that_is_no_recipe_is_told(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "mine.yaml").write_text(content)

    with pytest.raises(WrongCall, match=re.escape(f"mine.yaml: {complaint}")):
        read_recipe(str(tmp_path / "mine.yaml"))


def test_a_file_that_cannot_be_read_as_a_recipe_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    for name, complaint in (
        ("pipe.yaml", "Is no regular file"),
        ("folder.yaml", "Is a directory"),
        (f"{'a' * 300}.yaml", "File name too long"),
        ("a\0.yaml", "embedded null byte"),
    ):
        with pytest.raises(WrongCall, match=f"cannot be read: {complaint}"):
            read_recipe(str(tmp_path / name))
    monkeypatch.setattr(recipe, "LARGEST", 5)
    (tmp_path / "mine.yaml").write_text("a" * 6)
    with pytest.raises(WrongCall, match="is larger than 5 bytes, which is no recipe"):
        read_recipe(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize(
    ("written", "instead", "complaint"),
    [
        ("image_format: jpeg", "image_fromat: jpeg", "settings: 'image_fromat' is no option of a judge"),
        ("image_format: jpeg", "base_url: http://x/v1", "settings: 'base_url' is not for a recipe to set"),
        ("image_format: jpeg", "prompts: {}", "settings: 'prompts' is not for a recipe to set"),
        ("image_format: jpeg", "model: m", "settings: 'model' is not for a recipe to set"),
        ("image_format: jpeg", "rubric: {}", "settings: 'rubric' is not for a recipe to set"),
        (
            "[viescore/vie_prompts.py,",
            "[/etc/passwd,",
            "'/etc/passwd' is no path within a copy of the benchmark's code",
        ),
        ("[viescore/vie_prompts.py,", "[a/../../b.py,", "'a/../../b.py' is no path within a copy of the benchmark's"),
        ("[viescore/vie_prompts.py,", "['',", "'' is no path within a copy of the benchmark's code"),
        ("Intersection_exist: true", "Intersection_exist: .nan", "tables.1.where.Intersection_exist"),
        ("rows: category", "rows: group", "groups of categories are named where they are the rows, and only there"),
        ("score: O", "score: P", "score: 'P' is neither a criterion nor a value"),
        ("score: O", "score: O\n1: 2", "1: Keys should be strings"),
    ],
)
def test_what_a_recipe_cannot_say_is_told(tmp_path: Path, written: str, instead: str, complaint: str) -> None:
    text = (Path(read_recipe.__code__.co_filename).parent / "gedit.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace(written, instead, 1))

    with pytest.raises(WrongCall, match=re.escape(complaint)):
        read_recipe(str(tmp_path / "mine.yaml"))


def test_a_text_that_is_no_text_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    text = (Path(read_recipe.__code__.co_filename).parent / "gedit.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text.replace("benchmark: GEdit-Bench ", 'benchmark: "\\ud800" # ', 1))

    with pytest.raises(WrongCall, match="half of a surrogate pair, which is no character"):
        chosen(following(str(tmp_path / "mine.yaml"), write_copy(tmp_path, "gedit")))


def test_a_table_of_numbers_that_nobody_gives_is_refused(tmp_path: Path) -> None:
    text = (Path(read_recipe.__code__.co_filename).parent / "gedit.yaml").read_text()
    (tmp_path / "mine.yml").write_text(text.replace("{name: SC, of: [SC]}", "{name: SC, of: [sc]}"))

    with pytest.raises(WrongCall, match="table 'GEdit-Bench': 'sc' is neither a criterion nor a value"):
        read_recipe(str(tmp_path / "mine.yml"))


def test_a_category_of_which_nothing_is_asked_is_refused_before_anything_is_taken(tmp_path: Path) -> None:
    recipe = following("imgedit", write_copy(tmp_path, "imgedit"))
    configuration = chosen(recipe)

    require_asked(configuration, ["add", "alter"])
    both = choose(
        file=None, editor=None, scorers=["psnr", "api"], settings=[f"scorer.api.{SERVER[7:]}"], others={}, recipe=recipe
    )
    require_asked(both, ["add"])
    with pytest.raises(WrongCall, match="scorer 'api': its rubric asks nothing of category '物理'; it knows"):
        require_asked(configuration, ["add", "物理"])
    require_asked(chosen(gedit(tmp_path)), ["物理"])


# -- what is asked of a judge, and what it is shown --------------------------------------------------------------------


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_holds_together_with_a_copy_of_its_prompts(tmp_path: Path, name: str) -> None:
    recipe, copy = recipe_and_copy(tmp_path, name)

    rubric = recipe.rubric(copy)

    assert recipe.name == name
    assert Rubric.model_validate(rubric.model_dump(mode="json")) == rubric


def asked_of(
    folder: Path, name: str, category: str, *fields: str, image: bool = False, text: bool = False
) -> list[str]:
    """Return what is asked of a sample: each question's first word in the recipe's file, its prompt and images."""
    recipe, copy = recipe_and_copy(folder, name)
    there = there_is(dict.fromkeys(fields, "True"), reference=image, reference_text="a rule" if text else None)
    asked = recipe.rubric(copy).asked(category, there)
    constants = {copy.template(one.prompt): one.prompt.parts[-1].constants[0] for one in recipe.questions}
    shown = [", ".join(part.what for part in one.show if part.what != "prompt") for one in asked]
    return [f"{constants[one.prompt.user]}: {images}" for one, images in zip(asked, shown, strict=True)]


LOGICAL = "logical_reasoning"


@pytest.mark.parametrize(
    ("category", "there", "asked"),
    [
        (
            "causal_reasoning",
            {"text": True},
            ["prompt_consist: source, edited", "prompt_reasoning: edited", "prompt_generation: edited"],
        ),
        (
            "temporal_reasoning",
            {"text": True, "fields": ["reasoning_img"]},
            ["prompt_consist: source, edited", "prompt_reasoning_w_input: source, edited", "prompt_generation: edited"],
        ),
        (
            "spatial_reasoning",
            {"image": True},
            [
                "prompt_spatial_cons: reference, edited",
                "prompt_spatial_ref_img: reference, edited",
                "prompt_spatial_qual: edited",
            ],
        ),
        (
            "spatial_reasoning",
            {"text": True, "fields": ["consistency_free", "reasoning_img"]},
            ["prompt_spatial_ref_w_input: source, edited", "prompt_spatial_qual: edited"],
        ),
        (
            "spatial_reasoning",
            {"text": True},
            [
                "prompt_spatial_cons: source, edited",
                "prompt_spatial_ref: edited",
                "prompt_spatial_qual: edited",
            ],
        ),
        (
            LOGICAL,
            {"text": True, "image": True},
            ["prompt_logical_cons_ans: source, edited", "prompt_logical_txt: edited"],
        ),
        (LOGICAL, {"image": True}, ["prompt_logical_cons: reference, edited", "prompt_logical_img: reference, edited"]),
        (
            LOGICAL,
            {"image": True, "fields": ["reasoning_wo_ins"]},
            ["prompt_logical_cons: reference, edited", "prompt_logical_img_wo_q: reference, edited"],
        ),
    ],
)
def test_rise_asks_by_category_reference_and_flags(
    tmp_path: Path, category: str, there: dict[str, Any], asked: list[str]
) -> None:
    given = dict(there)
    assert asked_of(tmp_path, "rise", category, *given.pop("fields", []), **given) == asked


@pytest.mark.parametrize(
    ("category", "asked"),
    [
        ("anomaly_correction", ["prompt_consist: source, edited", "prompt_instruction_following: source, edited"]),
        ("physics", ["prompt_consist: source, edited", "prompt_dual_evaluation: source, edited"]),
        (
            "viewpoint_change",
            ["prompt_consist: source, edited", "prompt_view_instruction_following: source, edited, reference"],
        ),
        ("temporal_prediction", ["prompt_consist_temporal: frames", "prompt_instruction_temporal: frames"]),
        (
            "multi-element_composition",
            ["prompt_consist_multi: sources, edited", "prompt_instruction_multi: sources, edited"],
        ),
    ],
)
def test_kris_asks_by_category(tmp_path: Path, category: str, asked: list[str]) -> None:
    assert asked_of(tmp_path, "kris", category) == [*asked, "prompt_quality: edited"]
