"""A data set's repository on the Hugging Face Hub at one commit: what files it holds, and these files on this machine.

Files are kept in the Hub's own cache, where every tool that speaks to it finds them. What is there already is used
without asking, where HF_HUB_OFFLINE is set or the commit was named in full.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.benchmark.hub.faults import require_sendable_token, told

_CARD = "README.md"
_DATA_SET = "dataset"
_AT_ONCE = 8
"""Files that are fetched at the same time."""

_COMMIT = re.compile("[0-9a-f]{40}")
_BARS = 20
"""Of more files than that no progress is shown: there would be a bar for each."""


@dataclass(frozen=True)
class Repository:
    """The repository of this id at this commit, in full; what has been fetched of it lies in `folder`, by its path."""

    dataset_id: str
    commit: str
    folder: Path

    @staticmethod
    def at(dataset_id: str, revision: str | None) -> Repository:
        """Return the repository at the commit that a branch, a tag or a commit is now; None: the main branch.

        With HF_HUB_OFFLINE, that is what it was when the Hub was last asked. Raises as `told` does.
        """
        from huggingface_hub import HfApi, constants, snapshot_download

        require_sendable_token()
        with _quietly(bars=False), told(dataset_id, revision):
            if not constants.is_offline_mode() and not _COMMIT.fullmatch(revision or ""):
                # Where nobody answers, the next line takes what the cache knows, which may be old, without a word.
                HfApi().repo_info(dataset_id, repo_type=_DATA_SET, revision=revision)
            resolved = HfApi().resolve_revision(dataset_id, repo_type=_DATA_SET, revision=revision)
            # With any file of it the list of all comes into the cache.
            folder = snapshot_download(dataset_id, repo_type=_DATA_SET, revision=resolved, allow_patterns=[_CARD])
        return Repository(dataset_id, resolved.resolved, Path(folder))

    @property
    def storage(self) -> Path:
        """The cache's folder for all of its commits; the files of `folder` are links to others in it."""
        return self.folder.parent.parent

    def files(self) -> list[str]:
        """Return the paths of all of its files, also of those that were not fetched. Raises as `told` does."""
        from huggingface_hub import get_cached_repo_tree

        with told(self.dataset_id, self.commit):
            tree = get_cached_repo_tree(self.dataset_id, repo_type=_DATA_SET, revision=self.commit)
        return sorted(file.path for file in tree)

    def card(self) -> Mapping[str, Any]:
        """Return what its card says to programs; nothing where it has none, or none that can be read."""
        from huggingface_hub import metadata_load
        from yaml import YAMLError

        card = self.folder / _CARD
        try:
            return metadata_load(card) or {} if card.is_file() else {}
        except (OSError, ValueError, YAMLError):
            return {}

    def fetch(self, files: Sequence[str]) -> list[Path]:
        """Return where these files lie, which are fetched if they are not there. Raises as `told` does."""
        with _quietly(bars=len(files) <= _BARS), ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._fetch_one, files))  # where one fails, those not yet begun are given up

    def _fetch_one(self, file: str) -> Path:
        from huggingface_hub import hf_hub_download

        with told(f"{self.dataset_id}: {file}", self.commit):
            hf_hub_download(self.dataset_id, file, repo_type=_DATA_SET, revision=self.commit)
        return self.folder / file


@contextmanager
def _quietly(*, bars: bool) -> Iterator[None]:
    """Keep the library from saying itself what goes wrong, which is told in one line; and from showing its progress."""
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
        logging,
    )

    verbosity, hide = logging.get_verbosity(), not bars and not are_progress_bars_disabled()
    logging.set_verbosity_error()
    if hide:
        disable_progress_bars()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.set_verbosity(verbosity)
        if hide:
            enable_progress_bars()
