"""Files that a person names for a recipe: small, whole, and refused in one line."""

from __future__ import annotations

from pathlib import Path

from db.errors import WrongCall, one_line
from producer.benchmark.files import open_regular


def content_of(path: Path, largest: int, otherwise: str) -> bytes:
    """Return the file's bytes. Raises WrongCall where it cannot be read or has more; `otherwise` ends that sentence."""
    try:
        with open_regular(path) as file:
            content = file.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise WrongCall(one_line(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}")) from error
    if len(content) > largest:
        raise WrongCall(f"{path}: is larger than {largest:,} bytes{otherwise}")
    return content
