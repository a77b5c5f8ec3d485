"""What may stand for an image in a record: a path, base64, a data URL, the bytes themselves."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from db.decode import MAX_BYTES
from producer.benchmark.files import open_regular
from producer.benchmark.sample import FieldFault, kind_of

BASE64 = "_b64"
"""The end of the name of a column that holds images in base64."""

_SHOWN = 200
"""Characters of a path that a fault repeats."""


def image_bytes(value: object, folder: Path, inside: Path) -> bytes:
    """Return the bytes of an image: of a path that begins in `folder` and lies `inside`, a data URL, or as they are.

    Parquet and Hugging Face's datasets give `{"bytes": ..., "path": ...}`, one of which may be null. Raises FieldFault.
    """
    if isinstance(value, Mapping):
        value = value["bytes"] if value.get("bytes") is not None else value.get("path")
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str) or not value:
        raise FieldFault(f"expected a text, found {kind_of(value) if value != '' else 'an empty one'}")
    return from_base64(value) if value.startswith("data:") else _from_path(value, folder, inside)


def from_base64(value: object) -> bytes:
    """Return the bytes of base64, maybe as a data URL, maybe broken into lines. Raises FieldFault."""
    if not isinstance(value, str) or not value:
        raise FieldFault(f"expected a text, found {kind_of(value) if value != '' else 'an empty one'}")
    if value.startswith("data:"):
        value = value.partition(",")[2]
    with suppress(ValueError):  # binascii.Error is one: it may be broken into lines, which is looked at only then
        return base64.b64decode(value, validate=True)
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FieldFault(f"is not base64: {error}") from error


def _from_path(value: str, folder: Path, inside: Path) -> bytes:
    try:
        path, bounds = _resolved_file(value, folder), _resolved(str(inside))
        if path != bounds and not path.startswith(bounds.rstrip(os.sep) + os.sep):
            raise FieldFault(f"{value[:_SHOWN]!r} lies outside the benchmark's folder")
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise FieldFault(f"{value[:_SHOWN]!r} has {size:,} bytes; at most {MAX_BYTES:,} are read")
            return file.read(size + 1)  # room is made for as much as is asked for
    except (OSError, ValueError, RuntimeError) as error:  # the last for links in a circle, before Python 3.13
        raise FieldFault(f"{value[:_SHOWN]!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _resolved_file(value: str, folder: Path) -> str:
    """Return where the path leads, links followed; of its folders that is found out once."""
    parent, name = os.path.split(os.path.join(folder, value))  # noqa: PTH118 - a third of the time of Path
    path = os.path.join(_resolved(parent), name)  # noqa: PTH118
    return os.path.realpath(path) if name in ("", ".", "..") or os.path.islink(path) else path  # noqa: PTH114


@lru_cache(maxsize=1000)
def _resolved(folder: str) -> str:
    return os.path.realpath(folder)


def images_in(values: Mapping[str, Any], names: tuple[str, ...], folder: Path, inside: Path) -> list[bytes]:
    """Return the images of the first of these columns that is there, or of its like with `_b64`; none where none is.

    A column may hold a list of them. Raises FieldFault naming the column.
    """
    for column in (like for name in names for like in (f"{name}{BASE64}", name)):
        value = values.get(column)
        if value is None:
            continue
        try:
            if value == []:
                raise FieldFault("the list of images is empty")
            given = value if isinstance(value, list) else [value]
            if column.endswith(BASE64):
                return [from_base64(one) for one in given]
            return [image_bytes(one, folder, inside) for one in given]
        except FieldFault as fault:
            raise FieldFault(f"{column}: {fault}") from fault
    return []


def columns_like(name: str) -> set[str]:
    """Return the names of columns that may stand for this one."""
    return {name, f"{name}{BASE64}"}
