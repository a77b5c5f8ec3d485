"""Which weights models need and whether this host has them, by the Hugging Face cache's layout; nothing is fetched.

The cache is a folder: `models--OWNER--NAME/refs/REVISION` names a commit, `snapshots/COMMIT/` links its files.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from db.catalogue import ModelSpec, Role, find_spec, known_names, weights_entry
from db.choice import ModelChoice
from db.errors import WrongCall
from db.options import DiffusersEditorOptions, TransformersJudgeOptions

_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Weights:
    """Weights that a model takes: a local folder or a hub id. `name` is how a run calls the model.

    `preset`: they are those that the catalogue has under this name.
    `file` is the one that is wanted, as of a LoRA; None: all that `mark`, the file which such folders have, stands for.
    """

    name: str
    source: str
    revision: str | None = None
    mark: str = ""
    file: str | None = None
    preset: bool = False

    @property
    def command(self) -> str:
        """What brings them here: `prefetch` knows presets, others have a revision, or a file, that it is not told."""
        if self.preset:
            return f"python -m workers prefetch {self.name}"
        revision = [f"--revision {quote(self.revision)}"] if self.revision else []
        return " ".join(["hf download", *revision, quote(self.source), *([quote(self.file)] if self.file else [])])

    def folder(self) -> Path | None:
        """Return where they lie on this host, None where they do not."""
        if Path(self.source).is_dir():
            return Path(self.source)
        repository = hub_cache() / f"models--{self.source.replace('/', '--')}"
        revision = self.revision or "main"
        commit = revision if _COMMIT.fullmatch(revision) else _text(repository / "refs" / revision)
        snapshot = repository / "snapshots" / commit
        return snapshot if commit and snapshot.is_dir() else None

    def lacking(self) -> str | None:
        """Return the first file that is missing; None where all are there."""
        folder = self.folder()
        if folder is None:
            return f"all of {self.source}"
        if self.file is not None:
            return None if (folder / self.file).exists() else self.file
        if not self.mark:
            return None if _is_there(folder, "*.safetensors") else "*.safetensors"
        return next((file for file in _wanted(folder, self.mark) if not _is_there(folder, file)), None)

    def size_bytes(self) -> int:
        """Return the size of the weights that are there, in bytes on disk; 0 where none are."""
        folder = self.folder()
        if folder is None:
            return 0
        files = [folder / self.file] if self.file else _packed(folder, self.mark)
        return sum(file.stat().st_size for file in files if file.exists())


def hub_cache() -> Path:
    """Return the folder of the Hugging Face cache, as huggingface_hub finds it."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    hub_home = os.environ.get("HF_HOME") or f"{home}/huggingface"
    given = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{hub_home}/hub"
    return Path(os.path.expandvars(given)).expanduser()


def weights_of(role: Role, choice: ModelChoice) -> list[Weights]:
    """Return the weights of a run's model; none where it has none, as those behind a server."""
    try:
        spec = find_spec(role, choice.name)
    except WrongCall:  # a plug-in that is not on this host
        return []
    return _weights(choice.name, spec, choice.options)


def named_weights(name: str) -> list[Weights]:
    """Return the weights of a name of the catalogue, of a folder or a hub id. Raises WrongCall for what is neither."""
    found: list[Weights] = []
    for role in Role:
        if name in known_names(role):
            spec = find_spec(role, name)
            found += _weights(name, spec, spec.preset)
        elif (entry := _entry(role, name)) is not None:
            known, options = entry
            found += _weights(name, find_spec(role, known), options)
    if not found:
        raise WrongCall(
            f"--model {name}: no weights are known by this name; expected one of `python -m producer models`, a folder "
            "of weights or a hub id as OWNER/NAME"
        )
    here = [one for one in found if one.lacking() is None]
    return here or found[:1] if "/" in name else found  # of a hub id nobody knows which of the two it is


def _entry(role: Role, name: str) -> tuple[str, dict[str, str]] | None:
    try:
        return weights_entry(role, name)
    except WrongCall:  # a folder of the other role
        return None


def _weights(name: str, spec: ModelSpec, options: Mapping[str, Any]) -> list[Weights]:
    marks = {DiffusersEditorOptions: "model_index.json", TransformersJudgeOptions: "config.json"}
    mark = next((mark for known, mark in marks.items() if issubclass(spec.options, known)), None)
    if mark is None or not options.get("model"):
        return []
    known = all((options.get(what) or None) == spec.preset.get(what) for what in ("model", "revision", "loras"))
    loras = [
        Weights(name, one["model"], one.get("revision"), "", one.get("weight_name"), known)
        for one in options.get("loras", ())
    ]
    return [Weights(name, str(options["model"]), options.get("revision"), mark, None, known), *loras]


def _wanted(folder: Path, mark: str) -> Iterator[str]:
    """Yield what must be there, as glob patterns relative to the folder: configuration, parts, and their weights."""
    yield mark
    parts = _parts(folder / mark) if mark == "model_index.json" else ["."]
    for part in parts:
        indexes = sorted((folder / part).glob("*.safetensors.index.json"))
        for index in indexes:
            yield from sorted({f"{part}/{file}" for file in _json(index).get("weight_map", {}).values()})
        if not indexes and (part == "." or (folder / part / "config.json").exists()):
            yield f"{part}/*.safetensors"
        yield f"{part}/*"


def _is_there(folder: Path, file: str) -> bool:
    """Tell whether there is such a file; a link to nothing is none, as of a download that broke off."""
    return any(path.exists() for path in folder.glob(file))


def _parts(model_index: Path) -> list[str]:
    """Return the folders of a pipeline's parts: what its index names with a library and a class."""
    return [
        name for name, value in _json(model_index).items() if isinstance(value, list) and all(value) and name[0] != "_"
    ]


def _packed(folder: Path, mark: str) -> list[Path]:
    """Return the files of weights that a model loads: a pipeline's lie in the folders of its parts."""
    return list(folder.glob("*/*.safetensors" if mark == "model_index.json" else "*.safetensors"))


def _json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
