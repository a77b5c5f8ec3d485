"""Which files make which split of a data set, by the names that Hugging Face's tools give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

from db.errors import WrongCall

WHOLE = ""
"""In the place of a split's name: files that are of no split."""

_SHARD = re.compile(r"(.+?)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?")
NAMES = {"train", "training", "validation", "valid", "val", "dev", "test", "testing", "eval", "evaluation"}
"""What files and folders of a split are called by themselves."""

_T = TypeVar("_T")


def splits_of(files: Iterable[str]) -> dict[str, list[str]]:
    """Return the files of each split, sorted: `data/dev-00000-of-00004.parquet` is of `dev`, as is `dev.parquet`.

    Files whose names say no split are all of WHOLE, unless others do: then they are left out.
    """
    splits: dict[str, list[str]] = {}
    for file in sorted(files):
        stem = PurePosixPath(file).stem
        shard = _SHARD.fullmatch(stem)
        splits.setdefault(shard[1] if shard else stem if stem in NAMES else WHOLE, []).append(file)
    if len(splits) > 1:
        splits.pop(WHOLE, None)
    return splits


def chosen(available: Mapping[str, _T], asked: str | None, kind: str, where: object) -> _T:
    """Return what was asked for, or the only one there is. Raises WrongCall that names those there are.

    `kind` is "split" or "subset", and the option that chooses it; of a data set that is not divided nothing is asked.
    """
    if asked is not None and asked in available and asked != WHOLE:
        return available[asked]
    names = ", ".join(sorted(available))
    if asked is not None:
        there_are = f"there are: {names}" if set(available) != {WHOLE} else f"it has none; leave --{kind} out"
        raise WrongCall(f"{where}: no {kind} {asked!r}; {there_are}")
    if len(available) > 1:
        raise WrongCall(f"{where}: say which {kind} with --{kind}; there are: {names}")
    (only,) = available.values()
    return only
