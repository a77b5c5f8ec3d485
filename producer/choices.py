"""The run a user asks for: a configuration file and the flags of the command line, merged and resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from db.catalogue import Role
from db.choice import GIVEN
from db.configuration import RunConfiguration, model_entry, resolve_configuration
from db.errors import WrongCall, one_line
from producer.benchmark.sample import FieldFault
from producer.benchmark.text_values import check_name
from producer.recipes.follow import Following
from producer.written_yaml import NotYaml, read_yaml

DEFAULTS: Mapping[str, Any] = {"editor": "pillow", "scorers": ["reference"]}
"""What runs when nothing is chosen: models that need neither GPU nor weights."""

LARGEST_BYTES = 1 << 20
"""Of a configuration file: what has more is another file, or has no end."""


def choose(
    *,
    file: Path | None,
    editor: str | None,
    scorers: Iterable[str],
    settings: Iterable[str],
    others: Mapping[str, Any],
    recipe: Following | None = None,
) -> RunConfiguration:
    """Resolve a run's configuration: defaults, the recipe, the file, `--editor` and `--scorer`, `--set`, the rest.

    Later ones win. `settings` are `editor.OPTION=VALUE`, `scorer.OPTION=VALUE` (every scorer) or
    `scorer.LABEL.OPTION=VALUE`, the value as YAML; `others` are the remaining flags, None where not given. Raises
    WrongCall naming what does not hold.
    """
    asked: dict[str, Any] = {**DEFAULTS, **(_read(file) if file else {})}
    chosen = model_entry(Role.EDITOR, asked["editor"] if editor is None else editor)
    if chosen["name"] == GIVEN:
        raise WrongCall(f"editor {GIVEN!r} stands for images that are there already: name them with --edits")
    return _resolved(asked, scorers, settings, others, recipe, editor=chosen)


def choose_given(
    label: str,
    *,
    file: Path | None,
    scorers: Iterable[str],
    settings: Iterable[str],
    others: Mapping[str, Any],
    recipe: Following | None = None,
) -> RunConfiguration:
    """Resolve the configuration of a run whose edited images are there already, likewise; they have this label.

    Of the file, what is about making edits does not count. Raises WrongCall for a flag that is about that, and for a
    label that no table should show.
    """
    settings = list(settings)
    about_editor = [f"--set {setting}" for setting in settings if setting.startswith(f"{Role.EDITOR}.")]
    for flag in (*(f"--{name}" for name in _ABOUT_EDITING if others.get(name) is not None), *about_editor):
        repeats = "; a table says by its `repeat` how many each sample has" if flag == "--repeats" else ""
        raise WrongCall(f"{flag} is about making edits, and with --edits they are there already{repeats}")
    try:
        editor = {"name": GIVEN, "label": check_name(label, "the label") or GIVEN}
    except FieldFault as fault:
        raise WrongCall(f"--editor: {fault}") from fault
    asked = {"scorers": DEFAULTS["scorers"], **(_read(file) if file else {})}
    asked = {name: value for name, value in asked.items() if name not in _ABOUT_EDITING}
    return _resolved({**asked, "editor": editor}, scorers, settings, others, recipe)


_ABOUT_EDITING = ("repeats", "seed", "fresh")


def choose_scorers(
    stored: Mapping[str, Any],
    *,
    file: Path | None,
    scorers: Iterable[str],
    settings: Iterable[str],
    others: Mapping[str, Any],
    recipe: Following | None = None,
) -> RunConfiguration:
    """Resolve the configuration of a run that scores the edits of a stored one anew, likewise.

    Of the file only what is about scoring counts; what is not given is as the stored run has it, but for its recipe
    where other scorers, or another recipe, are asked for. A recipe says anew how the stored run's judges ask.
    """
    scorers = list(scorers)
    read = {name: value for name, value in _read(file).items() if name in _ABOUT_SCORING} if file else {}
    asked = {**stored, "priority": None, **read}
    if scorers or "scorers" in read:
        asked["recipe"] = None
    elif recipe is not None:
        asked["scorers"] = recipe.freed(stored["scorers"])
    if recipe is not None and "aggregate" not in read:
        asked["aggregate"] = None
    return _resolved(asked, scorers, settings, others, recipe)


def _resolved(
    asked: Mapping[str, Any],
    scorers: Iterable[str],
    settings: Iterable[str],
    others: Mapping[str, Any],
    recipe: Following | None,
    editor: dict[str, Any] | None = None,
) -> RunConfiguration:
    """Resolve `--scorer`, `--set` and the rest over what is asked; an editor whose options may be set is given."""
    models = {Role.SCORER: _entries(list(scorers) or asked["scorers"])}
    if editor is not None:
        models[Role.EDITOR] = [editor]
        asked = {**asked, "editor": editor}  # which `--set` changes in its place
    for setting in settings:
        _apply(setting, models)
    return resolve_configuration({**asked, **_judged(models[Role.SCORER], recipe), **_given(others)})


def _judged(scorers: Sequence[Mapping[str, Any]], recipe: Following | None) -> dict[str, Any]:
    """Return the scorers of a run, and the recipe where one is followed."""
    return {"scorers": scorers} if recipe is None else {"scorers": recipe.scorers(scorers), "recipe": recipe.followed}


_ABOUT_SCORING = ("scorers", "aggregate", "priority")

NO_AGGREGATE = "none"
"""The word for none, against one that the file or the run names."""


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in flags.items() if value is not None}
    return {**given, "aggregate": None} if given.get("aggregate") == NO_AGGREGATE else given


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:  # not by its size, which a pipe does not have
            written = opened.read(LARGEST_BYTES + 1)
        if len(written) > LARGEST_BYTES:
            raise WrongCall(f"{file}: is larger than {LARGEST_BYTES:,} bytes, which no run configuration is")
        content = read_yaml(written.decode())
    except OSError as error:
        raise WrongCall(f"{file}: cannot be read: {error.strerror}") from error
    except (NotYaml, UnicodeDecodeError) as error:
        raise WrongCall(f"{file}: is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise WrongCall(f"{file}: expected a mapping with `editor`, `scorers` and so on")
    if isinstance(content.get("recipe"), str):
        raise WrongCall(f"{file}: recipe: is named on the command line, with --recipe and --prompts")
    return content


def _entries(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not given:
        raise WrongCall("run configuration: scorers: expected a list with at least one scorer")
    return [model_entry(Role.SCORER, scorer) for scorer in given]


def _apply(setting: str, models: Mapping[Role, list[dict[str, Any]]]) -> None:
    path, equals, text = setting.partition("=")
    parts = path.split(".")
    if not equals or len(parts) < 2 or parts[0] not in models:
        roles = "editor.OPTION=VALUE, " if Role.EDITOR in models else ""
        raise WrongCall(f"--set {setting}: expected {roles}scorer.OPTION=VALUE or scorer.LABEL.OPTION=VALUE")
    chosen = models[Role(parts[0])]
    if len(parts) > 2:
        label = ".".join(parts[1:-1])  # which may hold dots itself
        chosen = [model for model in chosen if label == model.get("label", model["name"])]
        if not chosen:
            raise WrongCall(f"--set {setting}: the run has no {parts[0]} called {label!r}")
    try:
        value = read_yaml(text)
    except NotYaml as error:
        raise WrongCall(one_line(f"--set {setting}: {text!r} is not a YAML value")) from error
    for model in chosen:
        model["options"][parts[-1]] = value
