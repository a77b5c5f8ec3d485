"""How a data set on the Hugging Face Hub is named where else a path stands: `hf://OWNER/NAME` or `...@REVISION`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from db.errors import WrongCall, one_line

SCHEME = "hf://"

_ADDRESS = re.compile(r"hf://(?:datasets/)?(?P<id>[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+)(?:@(?P<revision>\S+))?")
"""With `datasets/`, too, as Hugging Face's own tools write it. A revision may have slashes: `refs/convert/parquet`."""


@dataclass(frozen=True)
class HubAddress:
    """A data set by its id, at a branch, a tag or a commit; None: at its main branch."""

    dataset_id: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{SCHEME}{self.dataset_id}" + (f"@{self.revision}" if self.revision else "")


Where = Path | HubAddress
"""Where a benchmark is."""


def where_is(given: str) -> Where:
    """Return what was given as an address on the Hub if it is written as one, else as a path; what exists is a path.

    Raises WrongCall for an address that is not whole, and for nothing, which as a path is the folder one is in.
    """
    if not given:
        raise WrongCall("FILE is empty; expected a file, a folder, or a data set on the Hub")
    if not given.startswith(SCHEME) or os.path.exists(given):  # noqa: PTH110 - Path raises for a name that is too long
        return Path(given)
    found = _ADDRESS.fullmatch(given)
    if found is None:
        shown = one_line(given, longest=200)
        raise WrongCall(f"{shown}: expected {SCHEME}OWNER/NAME or {SCHEME}OWNER/NAME@REVISION")
    return HubAddress(found["id"], found["revision"])
