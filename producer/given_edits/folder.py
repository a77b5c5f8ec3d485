"""Images in a folder, found by the names of samples; it is walked once, in whatever layout a benchmark wrote it.

A file belongs to a sample if its name, with or without suffix, is the sample's key; of a key with slashes, the folders
before it must be those of the file, too. The nearest of the other folders above a file that is called like a category
of the benchmark (or its English alias) tells whose it is: it is of no other category, and it goes before a file that is
below no such folder. Where several categories use a key, only such a folder tells. Two files of a sample are a fault.

So are found GEdit-Bench's `<category>/<language>/<key>.png`, ImgEdit's `<key>.png`, KRIS-Bench's `<category>/<id>.jpg`
and RISEBench's `images/<category>/<index>.png`, and any of them somewhere below. Names that begin with a dot are passed
over, and so are links to folders.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from db.categories import with_alias
from db.errors import BenchmarkInvalid
from producer.benchmark.faults import Faults
from producer.benchmark.sample import Fault
from producer.given_edits.names import Found, Names, composed, folded

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""What an image's name ends with, in small letters or capitals."""

MOST_ENTRIES = 500_000
"""Files and folders that are looked at; a folder with more is not that of one benchmark's images."""

SHOWN = 3
"""So many files are named where several are meant."""


@dataclass(frozen=True, slots=True)
class _File:
    """An image's path below the folder, in parts; `outside`: it is a link to somewhere else."""

    shown: str
    folders: tuple[str, ...]
    name: str
    outside: bool

    def is_called(self, parts: Sequence[str]) -> bool:
        """Tell whether its path ends with these; that of its own name is known to fit."""
        return len(parts) == 1 or self.folders[-len(parts) + 1 :] == tuple(parts[:-1])


@dataclass(frozen=True)
class InFolder:
    """What was found: an edit for every sample asked for, all image files, and those that belong to no sample."""

    edits: Sequence[Found]
    files: Sequence[str]
    unused: Sequence[str]


def find_in_folder(folder: Path, names: Names, asked: Collection[int], faults: Faults) -> InFolder:
    """Look for the images of all samples; what is wrong with those that are `asked` for is added to the faults.

    Raises BenchmarkInvalid where the folder cannot be walked.
    """
    files = list(_walk(folder))
    choosing = _Choosing(names, files)
    edits = []
    for position, (_, key) in enumerate(names.samples):  # also those not asked for: their files are theirs
        chosen = choosing.file_of(position)
        if position not in asked:
            continue
        if isinstance(chosen, Fault):
            faults.add(chosen)
        elif chosen is None:
            looked_for = f"no image is called {key!r} ({', '.join(SUFFIXES)})"
            edits.append(Found(position, 0, "", None, looked_for))
        else:
            path = os.path.join(folder, chosen.shown)  # noqa: PTH118 - some thousand times
            edits.append(Found(position, 0, chosen.shown, path))
    unused = [file.shown for file in files if file.shown not in choosing.taken]
    return InFolder(edits, [file.shown for file in files], unused)


class _Choosing:
    """Chooses one file for each sample; remembers which are taken, and by whom."""

    def __init__(self, names: Names, files: Sequence[_File]) -> None:
        self._names = names
        self._by_name: dict[str, list[_File]] = defaultdict(list)
        for file in files:
            self._by_name[file.name].append(file)
            self._by_name[PurePosixPath(file.name).stem].append(file)
        self.taken: dict[str, int] = {}

    def file_of(self, position: int) -> _File | Fault | None:
        """Return the sample's file, None where there is none; or the fault that it cannot be told or used."""
        category, key = self._names.samples[position]
        parts = [composed(part) for part in key.split("/") if part]
        called = [file for file in self._by_name.get(parts[-1] if parts else "", ()) if file.is_called(parts)]
        categories = [self._category(file, len(parts) - 1) for file in called]
        own = [file for file, of in zip(called, categories, strict=True) if of == category]
        chosen = own or [file for file, of in zip(called, categories, strict=True) if of is None]
        if not chosen:
            return None
        sample = self._names.shown(position)
        if len(chosen) > 1:
            return Fault(sample, f"several files are called so: {listed([file.shown for file in chosen])}")
        alike = self._names.by_key[composed(key)]
        if not own and len(alike) > 1:
            several = listed([with_alias(self._names.samples[one][0]) for one in alike])
            return Fault(chosen[0].shown, f"key {key!r} is in several categories ({several}): name its folder so")
        other = self.taken.setdefault(chosen[0].shown, position)
        if other != position:
            return Fault(chosen[0].shown, f"is called like {self._names.shown(other)} and like {sample}")
        if chosen[0].outside:
            return Fault(chosen[0].shown, f"leads out of the folder; it is called like {sample}")
        return chosen[0]

    def _category(self, file: _File, of_key: int) -> str | None:
        """Return which category the file says it is of; so many of its folders are part of the key."""
        known: Mapping[str, str] = self._names.categories
        above = file.folders[: len(file.folders) - of_key]
        return next((known[part] for folder in reversed(above) if (part := folded(folder)) in known), None)


def _walk(root: Path) -> Iterator[_File]:
    """Yield every image file below the folder, those of a folder before those below it."""
    inside = os.path.realpath(root)
    left: list[tuple[str, tuple[str, ...]]] = [("", ())]
    entries = 0
    while left:
        relative, below = left.pop()
        try:
            with os.scandir(os.path.join(root, relative)) as found:  # noqa: PTH118 - Path has none
                listing = sorted(islice(found, MOST_ENTRIES + 1), key=lambda entry: entry.name)
        except OSError as error:
            raise BenchmarkInvalid(f"{root / relative}: cannot be read: {error.strerror}") from error
        entries += len(listing)
        if entries > MOST_ENTRIES:
            raise BenchmarkInvalid(f"{root}: has more than {MOST_ENTRIES:,} files and folders")
        folders = []
        for entry in listing:
            if entry.name.startswith("."):
                continue
            path = os.path.join(relative, entry.name)  # noqa: PTH118
            if _is_folder(entry):
                if not entry.is_symlink():
                    folders.append((path, (*below, composed(entry.name))))
            elif entry.name.lower().endswith(SUFFIXES):
                yield _File(
                    path, below, composed(entry.name), entry.is_symlink() and not _is_inside(entry.path, inside)
                )
        left.extend(reversed(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _is_inside(path: str, inside: str) -> bool:
    """Tell whether a path, links followed, lies inside a folder that is resolved already."""
    return os.path.realpath(path).startswith(inside.rstrip(os.sep) + os.sep)


def listed(names: Sequence[str]) -> str:
    """Return the first of these names, and how many more there are."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
