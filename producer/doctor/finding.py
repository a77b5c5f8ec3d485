"""What a check can find: how bad it is, what was seen, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producer.doctor.sights import Sights


class State(StrEnum):
    """How bad it is."""

    OK = "ok"  # as it should be
    NOTE = "note"  # good to know; right for many farms
    WARNING = "warning"  # the farm works, and something will be slow, lost time or open to others
    FAULT = "fault"  # the farm cannot work so, or may lose what it has done


class Group(StrEnum):
    """What a check is about."""

    SETTINGS = "settings"
    BROKER = "broker"
    DATABASE = "database"
    WORKERS = "workers"
    STORE = "store"
    GPUS = "GPUs"
    MODELS = "models"
    DASHBOARD = "dashboard"
    HOST = "host"


class Unseen(Exception):
    """What a check needs cannot be seen; the check that is about just that says why."""


@dataclass(frozen=True)
class Found:
    """What a check saw; `fix` says how to mend it, None where nothing is to be mended."""

    state: State
    seen: str
    fix: str | None = None


@dataclass(frozen=True)
class Trouble:
    """Something that a check may find: in general words for the page, its fix with {fields} for what was seen."""

    state: State
    means: str
    fix: str

    def __call__(self, seen: str, **fields: object) -> Found:
        """Return it as found here."""
        return Found(self.state, seen, self.fix.format(**fields))

    @property
    def fix_in_general(self) -> str:
        """The fix with what differs from farm to farm in capitals."""
        return re.sub(r"\{(\w+)\}", lambda field: field[1].upper(), self.fix)


def fine(seen: str) -> Found:
    """Return what was seen as being as it should be."""
    return Found(State.OK, seen)


@dataclass(frozen=True)
class Check:
    """One thing that is looked at; `asks` says what, `troubles` what may come of it.

    Where `look` yields nothing there was nothing to look at: another check says why.
    """

    group: Group
    name: str
    asks: str
    look: Callable[[Sights], Iterator[Found]]
    troubles: tuple[Trouble, ...]
