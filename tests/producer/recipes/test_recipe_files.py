"""A recipe, or a copy of its prompts, that cannot be had is told."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from db.errors import WrongCall
from producer.choices import choose
from producer.recipes import recipe
from producer.recipes.follow import following, require_asked
from producer.recipes.recipe import read_recipe
from tests.producer.recipes.copies import write_copy
from tests.producer.recipes.followed import SERVER, chosen, gedit


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
