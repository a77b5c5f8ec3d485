"""What a user asks for, from defaults, file and flags, later ones winning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from db.configuration import Priority, RunConfiguration
from db.errors import WrongCall
from producer.choices import choose


def chosen(
    file: Path | None = None,
    *,
    editor: str | None = None,
    scorers: Sequence[str] = (),
    settings: Sequence[str] = (),
    **others: Any,
) -> RunConfiguration:
    """Choose as the command line does: every flag is there, None where it was not given."""
    flags = {"repeats": None, "seed": None, "limit": None, "priority": None, **others}
    return choose(file=file, editor=editor, scorers=scorers, settings=settings, others=flags)


def yaml_file(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(**given: Any) -> str:
    with pytest.raises(WrongCall) as caught:
        chosen(**given)
    message = str(caught.value)
    assert "\n" not in message
    return message


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{level}: &a{level} [{f'*a{level - 1}, ' * 9}]\n" for level in range(1, 10))
"""Half a page that stands for a billion values."""

TWO_SCORERS = "scorers: [{name: simulated, label: strict, seconds: 1}, {name: simulated, label: 宽松}]"

# -- precedence --------------------------------------------------------------------------------------------------------


def test_nothing_chosen_gives_models_without_gpu_and_every_default_written_out() -> None:
    configuration = chosen()

    assert configuration.editor.name == "pillow"
    assert [scorer.name for scorer in configuration.scorers] == ["reference"]
    assert configuration.scorers[0].options == {"batch_size": 8}
    assert (configuration.repeats, configuration.seed, configuration.limit) == (1, 0, None)
    assert configuration.priority is None  # as the run has it
    assert not any(spec.needs_gpu for spec in configuration.specs())


def test_the_file_wins_over_the_defaults(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "editor: {name: simulated, seconds: 2}\nrepeats: 3\npriority: high")

    configuration = chosen(file)

    assert configuration.editor.name == "simulated"
    assert configuration.editor.options["seconds"] == 2
    assert (configuration.repeats, configuration.priority) == (3, Priority.HIGH)
    assert [scorer.name for scorer in configuration.scorers] == ["reference"]


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "editor: simulated\nscorers: [reference]\nrepeats: 3\nseed: 4\nlimit: 5\npriority: high")

    configuration = chosen(file, editor="pillow", scorers=["simulated"], repeats=1, seed=0, limit=2, priority="low")

    assert configuration.editor.name == "pillow"
    assert [scorer.name for scorer in configuration.scorers] == ["simulated"]
    assert (configuration.repeats, configuration.seed, configuration.limit) == (1, 0, 2)
    assert configuration.priority is Priority.LOW


def test_an_editor_chosen_by_flag_does_not_inherit_the_files_options(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "editor: {name: simulated, seconds: 2}")

    assert chosen(file, editor="simulated").editor.options["seconds"] == 0.05


def test_set_wins_over_the_file(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "editor: {name: simulated, seconds: 2, width: 32}")

    options = chosen(file, settings=["editor.seconds=3"]).editor.options

    assert (options["seconds"], options["width"]) == (3, 32)


def test_the_later_set_wins() -> None:
    configuration = chosen(editor="simulated", settings=["editor.seconds=3", "editor.seconds=4"])

    assert configuration.editor.options["seconds"] == 4


def test_options_may_be_written_flat_or_below_options(tmp_path: Path) -> None:
    flat = chosen(yaml_file(tmp_path, "editor: {name: simulated, width: 32}"))
    nested = chosen(yaml_file(tmp_path, "editor: {name: simulated, options: {width: 32}}"))

    assert flat.digest() == nested.digest()


def test_what_is_asked_twice_in_different_ways_is_one_configuration(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, "editor: {name: simulated, width: 32}\nseed: 7")

    by_flags = chosen(editor="simulated", settings=["editor.width=32"], seed=7)

    assert chosen(file).digest() == by_flags.digest()


# -- --set -------------------------------------------------------------------------------------------------------------


def test_set_reaches_every_scorer(tmp_path: Path) -> None:
    file = yaml_file(tmp_path, TWO_SCORERS)

    configuration = chosen(file, settings=["scorer.batch_size=2"])

    assert [scorer.options["batch_size"] for scorer in configuration.scorers] == [2, 2]


@pytest.mark.parametrize(("label", "expected"), [("strict", [2, 8]), ("宽松", [8, 2])])
def test_set_reaches_one_scorer_by_its_label(tmp_path: Path, label: str, expected: list[int]) -> None:
    file = yaml_file(tmp_path, TWO_SCORERS)

    configuration = chosen(file, settings=[f"scorer.{label}.batch_size=2"])

    assert [scorer.options["batch_size"] for scorer in configuration.scorers] == expected


def test_a_scorer_without_a_label_is_called_by_its_name() -> None:
    configuration = chosen(scorers=["simulated", "reference"], settings=["scorer.simulated.batch_size=2"])

    assert [scorer.options["batch_size"] for scorer in configuration.scorers] == [2, 8]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("editor.width=32", 32),
        ("editor.seconds=0.5", 0.5),
        ("editor.seconds=1e-1", 0.1),
        ("editor.crash_on=[p-1, 图=1]", ["p-1", "图=1"]),
        ("editor.crash_on=[]", []),
        ("editor.oom_above=null", None),
        ("editor.oom_above=", None),
    ],
)
def test_values_are_yaml(setting: str, expected: object) -> None:
    configuration = chosen(editor="simulated", settings=[setting])

    name = setting.partition("=")[0].removeprefix("editor.")
    assert configuration.editor.options[name] == expected


# -- wrong calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"editor": "nope"}, ["no editor is called 'nope'", "pillow, qwen-image-2.1"]),
        ({"scorers": ["nope"]}, ["no scorer is called 'nope'", "reference, simulated"]),
        ({"scorers": ["reference", "reference"]}, ["two scorers are called 'reference'"]),
        ({"editor": "simulated", "settings": ["editor.stepz=4"]}, ["'stepz'", "seconds, spread", "width"]),
        ({"settings": ["scorer.stepz=4"]}, ["scorer 'reference'", "'stepz'", "(batch_size, repeats)"]),
        ({"settings": ["scorer.strict.batch_size=4"]}, ["no scorer called 'strict'"]),
        ({"settings": ["editor.strict.batch_size=4"]}, ["no editor called 'strict'"]),
        ({"settings": ["scorer.batch_size=0"]}, ["batch_size", "greater than or equal to 1"]),
        ({"settings": ["scorer.batch_size=two"]}, ["batch_size", "integer"]),
        ({"settings": ["scorer.batch_size=[1"]}, ["--set scorer.batch_size=[1", "not a YAML value"]),
        ({"settings": ["batch_size=4"]}, ["--set batch_size=4", "expected editor.OPTION=VALUE"]),
        ({"settings": ["scorer.batch_size"]}, ["--set scorer.batch_size", "expected editor.OPTION=VALUE"]),
        ({"settings": ["judge.batch_size=4"]}, ["--set judge.batch_size=4", "expected editor.OPTION=VALUE"]),
        ({"settings": ["scorer.a.b.c=4"]}, ["--set scorer.a.b.c=4", "no scorer called 'a.b'"]),
        ({"settings": [""]}, ["expected editor.OPTION=VALUE"]),
        ({"repeats": 0}, ["repeats", "greater than or equal to 1"]),
        ({"repeats": 1001}, ["repeats", "1000"]),
        ({"limit": 0}, ["limit", "greater than or equal to 1"]),
        ({"limit": -3}, ["limit", "greater than or equal to 1"]),
        ({"seed": -1}, ["seed", "greater than or equal to 0"]),
        ({"seed": 2**63}, ["seed", "less than"]),
        ({"priority": "urgent"}, ["priority", "'low', 'normal' or 'high'"]),
    ],
)
def test_a_wrong_call_is_one_line_that_names_it(given: dict[str, Any], named: list[str]) -> None:
    message = complaint(**given)

    assert [part for part in named if part not in message] == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("editor: [", "is not YAML"),
        ("a: b: c", "is not YAML"),
        ("seed: !!int ''", "is not YAML: a value is not what its tag says"),
        ("seed: 2026-13-45", "is not YAML: month must be in 1..12"),
        ("[" * 5000, "is not YAML: maximum recursion depth"),
        (BOMB, "is not YAML: with its aliases it stands for more than 100,000 values"),
        ("a: &a [*a]", "is not YAML: with its aliases it stands for more than 100,000 values"),
        ("#" * (1 << 20) + "\n", "is larger than 1,048,576 bytes"),
        ("recipe: gedit", "recipe: is named on the command line, with --recipe and --prompts"),
        ("recipe: {name: gedit}", "recipe.digest: Field required"),
        ("a: !!python/object:os.system {}", "is not YAML"),
        ("", "expected a mapping"),
        ("- editor", "expected a mapping"),
        ("editor", "expected a mapping"),
        ("sead: 5", "sead"),
        ("5: 5", "5"),
        ("editor: 5", "editor: expected a name, or a mapping with a name, not 5"),
        ("editor:", "editor: expected a name, or a mapping with a name, not None"),
        ("editor: {label: a}", "editor: expected a name, or a mapping with a name"),
        ("editor: {name: nope}", "no editor is called 'nope'"),
        ("editor: {name: simulated, stepz: 4}", "'stepz'"),
        ("editor: {name: simulated, options: 4}", "options"),
        ("editor: {name: simulated, options: {stepz: 4}}", "'stepz'"),
        ("scorers: simulated", "scorers: expected a list"),
        ("scorers: []", "scorers: expected a list with at least one scorer"),
        ("scorers: [simulated, simulated]", "two scorers are called 'simulated'"),
        ("scorers: [[simulated]]", "scorer: expected a name, or a mapping with a name"),
        ("repeats: two", "repeats"),
        ("repeats: [1]", "repeats"),
        ("limit: 2.5", "limit"),
        ("seed: -1", "seed"),
        ("priority: urgent", "priority"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    assert named in complaint(file=yaml_file(tmp_path, text))


@pytest.mark.parametrize("name", ["gone.yaml", "folder.yaml", "binary.yaml"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    assert str(tmp_path / name) in complaint(file=tmp_path / name)


def test_a_file_without_end_is_refused() -> None:
    assert "/dev/zero: is larger than" in complaint(file=Path("/dev/zero"))
