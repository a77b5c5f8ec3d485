"""A tar file as it is written and read here: plain files, one behind the other, each held in memory as a whole.

`tarfile` gives the headers and no more: of an archive from a stranger nothing is ever unpacked by name, and what it
knows beside plain files (links, devices, sparse files, headers as long as a file) is refused where it begins.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from db.decode import MAX_BYTES
from db.errors import FarmError, one_line

BLOCK = tarfile.BLOCKSIZE
MOST_BYTES = MAX_BYTES
"""A member may be so large: the largest image that the farm reads."""


class ArchiveInvalid(FarmError):
    """An archive that is cut off, damaged, or none of ours; nothing of it was taken."""

    exit_code = 4

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, longest=2000))


class Member(NamedTuple):
    """A file of the archive."""

    name: str
    content: bytes


class Writer:
    """Writes members one after the other, the same bytes for the same members; `bytes` says how many so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes = 0

    def add(self, name: str, content: bytes) -> None:
        """Write a member."""
        header = tarfile.TarInfo(name)
        header.size = len(content)
        self._write(header.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict"))
        self._write(content)
        self._write(bytes(-len(content) % BLOCK))

    def end(self) -> None:
        """Write what tar files end with."""
        self._write(bytes(2 * BLOCK))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self.bytes += len(content)


def members(file: BinaryIO) -> Iterator[Member]:
    """Yield the members from the beginning of the file to the end that tar marks. Raises ArchiveInvalid."""
    file.seek(0)
    last = ""
    while True:
        header = _header(file.read(BLOCK), last)
        if header is None:
            return
        last = header.name
        if header.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise ArchiveInvalid(f"archive: {last!r} is no plain file")
        if not 0 <= header.size <= MOST_BYTES:
            raise ArchiveInvalid(
                f"archive: {last!r} says it has {header.size:,} bytes; at most {MOST_BYTES:,} are read"
            )
        content = file.read(header.size)
        padding = -header.size % BLOCK
        if len(content) < header.size or len(file.read(padding)) < padding:
            raise ArchiveInvalid(f"archive: cut off within {last!r}")
        yield Member(last, content)


def _header(block: bytes, last: str) -> tarfile.TarInfo | None:
    where = f"after {last!r}" if last else "at its beginning"
    if block == bytes(BLOCK):
        return None
    if len(block) < BLOCK:
        raise ArchiveInvalid(f"archive: cut off {where}")
    try:
        return tarfile.TarInfo.frombuf(block, "ascii", "backslashreplace")
    except (tarfile.HeaderError, ValueError, OverflowError):
        what = "is no file header" if last else "is no archive of `python -m producer export`"
        raise ArchiveInvalid(f"archive: what stands {where} {what}") from None
