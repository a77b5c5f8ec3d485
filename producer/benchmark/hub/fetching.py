"""A data set on the Hugging Face Hub, by its id: the files of a split at one commit, read like those of any folder.

What an id stands for changes; so it is taken at a commit, which is part of the benchmark's name. Read are Parquet
files, image folders and what `save_to_disk` left; of a data set that is none of these, the Parquet files that the Hub
itself made of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from db.errors import BenchmarkInvalid
from producer.benchmark.formats.arrow_values import require_pyarrow
from producer.benchmark.formats.image_folder import METADATA, ImageFolder
from producer.benchmark.formats.parquet import SUFFIX, Parquet
from producer.benchmark.formats.record import Record, Records
from producer.benchmark.formats.saved_dataset import INFO, SPLITS, STATE, SavedDataset
from producer.benchmark.formats.splits import WHOLE, chosen
from producer.benchmark.how import HowToRead
from producer.benchmark.hub.address import HubAddress
from producer.benchmark.hub.faults import UnknownRevision, require_hub
from producer.benchmark.hub.files import PARTIAL, default_subset, subsets_of
from producer.benchmark.hub.repository import Repository

CONVERTED = "refs/convert/parquet"
"""The branch that the Hub keeps of most data sets, with their rows as Parquet."""

_LONGEST_PATH = 4096
"""Characters of a text that may name a file."""


@dataclass(frozen=True)
class Fetched:
    """The rows of a data set; `inside` holds all that its files are links to.

    `name` is its id at the commit in full, and the subset and the split that were asked for.
    """

    records: Records
    name: str
    inside: Path


def fetch(address: HubAddress, how: HowToRead) -> Fetched:
    """Return the rows of a data set, whose files are on this machine then.

    Raises WrongCall for a subset or a split that there is not, naming those that there are; what `told` raises where
    the Hub does not give it; BenchmarkInvalid where it holds nothing that can be read.
    """
    require_hub()
    repository = Repository.at(address.dataset_id, address.revision)
    records = _records_of(repository, how)
    if records is None and address.revision is None and (converted := _converted(address.dataset_id)):
        repository, records = converted, _records_of(converted, how)
    if records is None:
        raise BenchmarkInvalid(
            f"{address}: holds no Parquet, no {' or '.join(METADATA)}, and no saved data set; fetch it with "
            f"`hf download {address.dataset_id} --repo-type dataset --local-dir FOLDER`, and give what is in the folder"
        )
    asked = filter(None, (how.subset, how.split))
    return Fetched(records, " ".join((f"{address.dataset_id}@{repository.commit}", *asked)), repository.storage)


def _converted(dataset_id: str) -> Repository | None:
    try:
        return Repository.at(dataset_id, CONVERTED)
    except UnknownRevision:
        return None


def _records_of(repository: Repository, how: HowToRead) -> Records | None:
    """Return the rows of the split that was asked for; None where they are in no form that is read."""
    files, card = repository.files(), repository.card()
    if subsets := subsets_of(files, card):
        subset = how.subset or default_subset(card, subsets)
        splits = chosen(subsets, subset, "subset", repository.dataset_id)
        return _of_split(repository, files, chosen(splits, how.split, "split", repository.dataset_id))
    saved = [file for file in files if PurePosixPath(file).name in (SPLITS, STATE)]
    metadata = _metadata_in(files)
    if saved or metadata:
        chosen({WHOLE: ()}, how.subset, "subset", repository.dataset_id)  # it has none
    if saved:
        return _saved(repository, files, saved, how.split)
    return _image_folder(repository, files, metadata, how.split) if metadata else None


def _of_split(repository: Repository, files: Sequence[str], listed: Sequence[str]) -> Records | None:
    """Return the rows of a split that these files make up."""
    if all(file.endswith(SUFFIX) for file in listed):
        if any(PurePosixPath(file).parent.name.startswith(PARTIAL) for file in listed):
            raise BenchmarkInvalid(
                f"{repository.dataset_id}: is too large for the Hub, which has made Parquet of its first rows only"
            )
        require_pyarrow("Parquet")  # before it is fetched, which may take hours
        return Parquet(repository.folder, files=repository.fetch(listed))
    metadata = _metadata_in(listed)
    return _image_folder(repository, files, metadata, None, listed=True) if metadata else None


def _saved(repository: Repository, files: Sequence[str], marks: Sequence[str], split: str | None) -> SavedDataset:
    """Return the rows that `save_to_disk` left: of the outermost folder that it says to be one."""
    top = min(map(PurePosixPath, marks), key=lambda mark: (len(mark.parts), mark.name != SPLITS)).parent
    repository.fetch([file for file in files if PurePosixPath(file).name in (SPLITS, STATE, INFO)])
    saved = SavedDataset(repository.folder / top, split)
    repository.fetch([file.relative_to(repository.folder).as_posix() for file in saved.files])
    return saved


# -- image folders -----------------------------------------------------------------------------------------------------


def _metadata_in(files: Sequence[str]) -> list[str]:
    return [file for file in files if PurePosixPath(file).name in METADATA]


def _image_folder(
    repository: Repository, files: Sequence[str], metadata: Sequence[str], split: str | None, *, listed: bool = False
) -> ImageFolder:
    """Return the rows of metadata, and fetch the images that they name; `listed`: of these files and no others."""
    fetched = repository.fetch(metadata)
    records = ImageFolder(repository.folder, split, metadata=fetched if listed else ())
    there = frozenset(files)
    named = {
        file: None for record in records if isinstance(record, Record) for file in _files_named(record, repository)
    }
    repository.fetch([file for file in named if file in there])  # of one that is not, its row says so
    return records


def _files_named(record: Record, repository: Repository) -> Iterator[str]:
    """Yield every path in the repository that a text of the record, or one of a list of texts, may stand for."""
    folder = record.folder.relative_to(repository.folder).as_posix()
    for value in record.values.values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and len(text) <= _LONGEST_PATH:
                yield os.path.normpath(PurePosixPath(folder, text))
