"""Arrow's columns as the values of records, and what pyarrow raises as one line.

Of what a column holds, texts, numbers, truth values, bytes and lists and objects of them are kept as they are. Class
numbers become the names that Hugging Face's `features` give them; what is no number, and an image without bytes or
path, become null; times become texts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from db.errors import WrongCall, first_line, one_line

Features = Mapping[str, Any]
"""What Hugging Face's tools say of each column, as they write it into a file's schema."""

_LABELS = "ClassLabel"
_NO_IMAGE = ({"bytes": None, "path": None}, {"path": None, "bytes": None})


def require_pyarrow(what: str) -> None:
    """Raise WrongCall that says how to install what reading `what` needs, where it is missing."""
    try:
        import pyarrow.ipc
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise WrongCall(f"reading {what} needs pip install 'editfarm[hf]'") from error


def arrow_errors() -> tuple[type[Exception], ...]:
    """Return all that pyarrow raises for a damaged file."""
    import pyarrow

    return (OSError, ValueError, OverflowError, RecursionError, pyarrow.ArrowException)


def reason_of(error: Exception) -> str:
    """Return what pyarrow complains of, in one short line."""
    return one_line(first_line(error).removeprefix("[Errno 5] "), longest=200)


def features_in(metadata: Mapping[bytes, bytes] | None) -> Features:
    """Return the features of a schema's metadata; none where it has none. Raises ValueError for what is no JSON."""
    try:
        info = json.loads((metadata or {}).get(b"huggingface", b"{}"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its `huggingface` metadata is no JSON: {first_line(error)}") from error
    for name in ("info", "features"):
        info = info.get(name) if isinstance(info, dict) else None
    return info if isinstance(info, dict) else {}


def rows_of(batch: Any, features: Features) -> Iterator[dict[str, Any] | str]:
    """Yield the rows of a RecordBatch, what is wrong with it in the place of a row that cannot be read."""
    try:
        yield from _rows(batch, features)
    except arrow_errors() as error:  # one cell is enough, such as a text that is not UTF-8
        if batch.num_rows == 1:
            yield f"cannot be read: {reason_of(error)}"
            return
        for number in range(batch.num_rows):
            yield from rows_of(batch.slice(number, 1), features)


def _rows(batch: Any, features: Features) -> Iterator[dict[str, Any]]:
    """Return the rows. Raises what `arrow_errors` names, before the first of them."""
    names = batch.schema.names
    columns = [_values(column, features.get(name)) for name, column in zip(names, batch.columns, strict=True)]
    return (dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True))


def _values(column: Any, feature: object) -> list[Any]:
    from pyarrow import types

    kind = column.type
    if types.is_temporal(kind):
        column = column.cast("string")  # Python's own times are coarser than some, and reach less far
    elif types.is_decimal(kind):
        column = column.cast("float64")
    values: list[Any] = column.to_pylist()
    if types.is_floating(kind) or types.is_decimal(kind) or types.is_nested(kind) or _labels(feature):
        return [_plain(value, feature) for value in values]
    return values


def _plain(value: Any, feature: object) -> Any:
    """Return the value with names for class numbers and null for what is no number and no image, at any depth."""
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return None if value in _NO_IMAGE else {name: _plain(one, _part(feature, name)) for name, one in value.items()}
    if isinstance(value, list):
        inner = _element(feature)
        return [_plain(one, inner) for one in value]
    labels = _labels(feature)
    if labels and isinstance(value, int):
        return labels[value] if 0 <= value < len(labels) else None if value == -1 else value  # -1: not known
    return value


def _labels(feature: object) -> list[str]:
    names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == _LABELS else None
    return names if isinstance(names, list) else []


def _element(feature: object) -> object:
    if isinstance(feature, list):  # as very old versions write a list
        return feature[0] if feature else None
    return feature.get("feature") if isinstance(feature, dict) else None


def _part(feature: object, name: str) -> object:
    """Return the feature of an object's part; a Sequence of objects is stored as an object of lists."""
    if not isinstance(feature, dict):
        return None
    if feature.get("_type") == "Sequence" and isinstance(inner := feature.get("feature"), dict):
        return {"_type": "List", "feature": inner.get(name)}
    return feature.get(name)
