"""Weights in place of a name: a folder, or a repository of the Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db.catalogue import Role
from db.configuration import resolve_configuration
from producer.choices import choose
from tests.db.choices import complaint, editor
from tests.factories import configuration


def editor_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    return folder


def judge_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def chosen(role: Role, given: Any) -> Any:
    """Return the model that a run stores when this is given in that role."""
    found = configuration(**({"editor": given} if role is Role.EDITOR else {"scorers": [given]}))
    return found.editor if role is Role.EDITOR else found.scorers[0]


ROLES = [(Role.EDITOR, editor_folder, "diffusers"), (Role.SCORER, judge_folder, "transformers")]


@pytest.mark.parametrize(("role", "make", "name"), ROLES)
def test_a_folder_of_weights_works_in_place_of_a_name(
    role: Role, make: Callable[[Path], Path], name: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "my weights-1.5")

    found = chosen(role, str(folder))

    assert (found.name, found.label, found.options["model"]) == (name, "my weights-1.5", str(folder))


@pytest.mark.parametrize(("role", "make", "name"), ROLES)
@pytest.mark.parametrize("given", ["weights", "./weights", "weights/", "../here/weights", "~/weights"])
def test_a_folder_is_stored_absolute_with_its_own_name_as_label(
    role: Role, make: Callable[[Path], Path], name: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path / "here" / "weights")
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))

    found = chosen(role, given)

    assert found.label == "weights"
    assert Path(found.options["model"]).is_absolute()
    assert Path(found.options["model"]).samefile(folder)


@pytest.mark.parametrize(("role", "make", "name"), ROLES)
def test_the_folder_one_stands_in_is_labelled_by_its_name(
    role: Role, make: Callable[[Path], Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make(tmp_path / "weights"))

    found = chosen(role, ".")

    assert found.options["model"] == str(tmp_path / "weights")
    assert found.label == "weights"


@pytest.mark.parametrize(
    ("role", "make", "lacking"),
    [(Role.EDITOR, judge_folder, "model_index.json"), (Role.SCORER, editor_folder, "config.json")],
)
def test_a_folder_of_something_else_is_refused(
    role: Role, make: Callable[[Path], Path], lacking: str, tmp_path: Path
) -> None:
    folder = str(make(tmp_path / "weights"))
    given: dict[str, Any] = {"editor": folder} if role is Role.EDITOR else {"scorers": [folder]}

    assert complaint(**given) == f"{role} {folder!r} is a folder without {lacking}"


def test_a_folder_that_looks_like_a_hub_id_is_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = editor_folder(tmp_path / "Qwen" / "Qwen-Image-Edit")
    monkeypatch.chdir(tmp_path)

    assert editor("Qwen/Qwen-Image-Edit")["model"] == str(folder)


def test_a_folder_of_a_known_name_does_not_take_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor_folder(tmp_path / "pillow")
    monkeypatch.chdir(tmp_path)

    assert configuration(editor="pillow").editor.name == "pillow"
    assert configuration(editor="./pillow").editor.name == "diffusers"


@pytest.mark.parametrize(("role", "name"), [(Role.EDITOR, "diffusers"), (Role.SCORER, "transformers")])
def test_a_hub_id_works_in_place_of_a_name(role: Role, name: str) -> None:
    found = chosen(role, "Owner/some.Model-2_b")

    assert (found.name, found.label, found.options["model"]) == (name, "some.Model-2_b", "Owner/some.Model-2_b")


def test_weights_take_options_and_a_label_like_any_name() -> None:
    found = configuration(editor={"name": "Owner/Model", "label": "mine", "num_inference_steps": 4, "size": "source"})

    assert found.editor.label == "mine"
    assert (found.editor.options["num_inference_steps"], found.editor.options["size"]) == (4, "source")


@pytest.mark.parametrize(
    "given", ["Owner", "Owner/", "/Model", "a/b/c", "Owner/../x", "-o/x", "https://h/o/m", "o/m@v"]
)
def test_what_is_neither_name_nor_folder_nor_hub_id_is_refused_with_all_three(given: str) -> None:
    said = complaint(editor=given)

    assert said.startswith(f"no editor is called {given!r}; known: diffusers, flux-kontext,")
    assert said.endswith("or a folder of weights, or a hub id as OWNER/NAME")


def test_weights_that_were_stored_are_read_back_though_the_folder_has_gone(tmp_path: Path) -> None:
    folder = judge_folder(tmp_path / "judge")
    first = configuration(scorers=[str(folder)])
    (folder / "config.json").unlink()
    folder.rmdir()

    assert resolve_configuration(first.model_dump(mode="json")).digest() == first.digest()


def test_set_reaches_weights_by_the_label_that_they_get(tmp_path: Path) -> None:
    folder = str(judge_folder(tmp_path / "judge"))

    found = choose(file=None, editor=None, scorers=[folder], settings=["scorer.judge.batch_size=2"], others={})

    assert (found.scorers[0].label, found.scorers[0].options["batch_size"]) == ("judge", 2)
