"""Archives taken apart and put together again, with sums that are right whatever was changed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from producer.moving import SUMS
from producer.moving.archive import Writer, members
from producer.moving.rows import digest

Rows = list[dict[str, Any]]


def parts_of(archive: bytes) -> dict[str, bytes]:
    """Return the members by their names."""
    return dict(members(io.BytesIO(archive)))


def joined(parts: dict[str, bytes]) -> bytes:
    """Return an archive of these members, as they are."""
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in parts.items():
        writer.add(name, content)
    writer.end()
    return file.getvalue()


def with_sums(parts: dict[str, bytes]) -> bytes:
    """Return an archive of these members whose sums are theirs."""
    sums = json.loads(parts[SUMS])
    held = [name for name in parts if name != SUMS and not name.startswith("images/")]
    sums["members"] = {name: digest(parts[name]) for name in held}
    return joined({**parts, SUMS: json.dumps(sums).encode()})


def changed(archive: bytes, name: str, change: Callable[[Rows], object]) -> bytes:
    """Return the archive with the rows of one member changed, and sums to match."""
    parts = parts_of(archive)
    rows = [json.loads(line) for line in parts[name].splitlines()]
    change(rows)
    return with_sums({**parts, name: b"".join(json.dumps(row).encode() + b"\n" for row in rows)})
