"""Which files of a repository on the Hub make which split of which subset, by its card or by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from producer.benchmark.formats.parquet import SUFFIX
from producer.benchmark.formats.splits import NAMES, splits_of

Splits = Mapping[str, Sequence[str]]
"""The files of each split."""

PARTIAL = "partial-"
"""What the Hub puts before the name of a split of which it made Parquet of the first rows only."""

_DEFAULT = "default"
"""What Hugging Face's tools call a subset that has no name."""

_CONVERTED = re.compile(rf"(?P<subset>[^/]+)/(?:{PARTIAL})?(?P<split>[^/]+)/\d{{4,}}\.parquet")
"""Parquet that the Hub itself made."""


def subsets_of(files: Sequence[str], card: Mapping[str, Any]) -> Mapping[str, Splits]:
    """Return the splits of each subset that the card lists; else those that the Parquet files are named for."""
    subsets = {_name_of(one): _splits_listed(one, files) for one in _configs(card)}
    return {name: splits for name, splits in subsets.items() if splits} or _by_name(files)


def default_subset(card: Mapping[str, Any], subsets: Iterable[str]) -> str | None:
    """Return the subset that is meant when none is named; None where nothing says so."""
    marked = [_name_of(one) for one in _configs(card) if one.get("default") is True]
    return next((name for name in (*marked, _DEFAULT) if name in subsets), None)


# -- by the card -------------------------------------------------------------------------------------------------------


def _configs(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = card.get("configs")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []


def _name_of(config: Mapping[str, Any]) -> str:
    return str(config.get("config_name", _DEFAULT))


def _splits_listed(config: Mapping[str, Any], files: Sequence[str]) -> Splits:
    """Return the files of a subset's splits, of its `data_files`, else of its `data_dir`."""
    folder, listed = config.get("data_dir"), config.get("data_files")
    if isinstance(folder, str):
        inside = f"{folder.removeprefix('./').strip('/')}/"
        files = [file for file in files if file.startswith(inside)]
        if listed is None:
            return splits_of(file for file in files if file.endswith(SUFFIX))
    else:
        inside = ""
    splits: dict[str, list[str]] = {}
    for split, pattern in _patterns(listed):
        matching = re.compile(re.escape(inside) + _regular(pattern.removeprefix("./")))
        if found := [file for file in files if matching.fullmatch(file)]:
            splits.setdefault(split, []).extend(found)
    return splits


def _patterns(listed: object) -> Iterator[tuple[str, str]]:
    """Yield (split, pattern) of `data_files`: a pattern, a list of them, or one or several by split."""
    if isinstance(listed, Mapping):
        listed = [{"split": split, "path": path} for split, path in listed.items()]
    for one in listed if isinstance(listed, list) else [listed]:
        split, path = (one.get("split", "train"), one.get("path")) if isinstance(one, Mapping) else ("train", one)
        yield from (
            (str(split), each) for each in (path if isinstance(path, list) else [path]) if isinstance(each, str)
        )


def _regular(pattern: str) -> str:
    """Return the regular expression of a path pattern, in which only `**` passes from folder to folder."""
    meanings = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meanings.get(part) or re.escape(part) for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))


# -- by their names ----------------------------------------------------------------------------------------------------


def _by_name(files: Sequence[str]) -> Mapping[str, Splits]:
    """Return the subsets of the Parquet files: as the Hub names its own, else their folders; `data` is no subset."""
    parquet = [file for file in files if file.endswith(SUFFIX)]
    converted = [found for file in parquet if (found := _CONVERTED.fullmatch(file))]
    subsets: dict[str, dict[str, list[str]]] = {}
    if len(converted) == len(parquet):
        for one in converted:
            subsets.setdefault(one["subset"], {}).setdefault(one["split"], []).append(one[0])
        return subsets
    folders: dict[str, list[str]] = {}
    for file in parquet:
        folder = PurePosixPath(file).parent
        if folder.name in NAMES:
            subset = _subset_of(folder.parent)
            subsets.setdefault(subset, {}).setdefault(folder.name, []).append(file)
        else:
            folders.setdefault(_subset_of(folder), []).append(file)
    return {**{subset: splits_of(inside) for subset, inside in folders.items()}, **subsets}


def _subset_of(folder: PurePosixPath) -> str:
    return _DEFAULT if str(folder) in (".", "data") else str(folder)
