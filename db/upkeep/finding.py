"""What fsck is asked to look at, and what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Engine

from db.images import ImageStore
from db.ledger import Ledger
from db.queries import Run


class Standing(StrEnum):
    """What became of a finding."""

    REPAIRED = "repaired"
    REPAIRABLE = "repairable"  # found by a dry run, which changes nothing
    LEFT = "left"  # only a person can mend it


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be; `remedy` is what was done, what would be done, or what to do."""

    where: str
    what: str
    standing: Standing
    remedy: str

    def __str__(self) -> str:
        dry = "without --dry-run: " if self.standing is Standing.REPAIRABLE else ""
        return f"{self.where}: {self.what}; {dry}{self.remedy}"


@dataclass(frozen=True)
class Inspection:
    """What is looked at: all runs, or one; and whether what can be repaired is repaired."""

    ledger: Ledger
    images: ImageStore
    run: Run | None = None
    repair: bool = True

    @property
    def engine(self) -> Engine:
        """The ledger's database."""
        return self.ledger.engine

    @property
    def mended(self) -> Standing:
        """What becomes of a finding that can be repaired."""
        return Standing.REPAIRED if self.repair else Standing.REPAIRABLE


@dataclass
class Tally:
    """How many findings there were of each standing."""

    counts: Counter[Standing] = field(default_factory=Counter)

    def counted(self, found: Iterable[Finding]) -> Iterator[Finding]:
        """Yield the findings, counting them as they pass."""
        for finding in found:
            self.counts[finding.standing] += 1
            yield finding

    @property
    def all_repaired(self) -> bool:
        """Nothing was found, or nothing that is not mended by now."""
        return self.counts.total() == self.counts[Standing.REPAIRED]

    def __str__(self) -> str:
        if not self.counts:
            return "nothing is wrong"
        shown = {Standing.REPAIRED: "repaired", Standing.REPAIRABLE: "to repair", Standing.LEFT: "left for you"}
        parts = [f"{self.counts[standing]:,} {words}" for standing, words in shown.items() if self.counts[standing]]
        return f"{self.counts.total():,} found: {', '.join(parts)}"
