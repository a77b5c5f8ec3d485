"""The ledger held against the image store and against itself, and mended where it can be."""

from __future__ import annotations

from collections.abc import Iterator

from db.upkeep.database import file_faults, link_faults, rule_faults
from db.upkeep.finding import Finding, Inspection
from db.upkeep.jobs import missing_edits, missing_scores, needless_edits, stray_scores
from db.upkeep.pictures import edit_faults, sample_faults


def findings(inspection: Inspection) -> Iterator[Finding]:
    """Yield every finding as soon as it is dealt with. May run beside workers and submits.

    A database file that is damaged is neither looked into further nor written to.
    """
    damaged = False
    for finding in file_faults(inspection.engine):
        damaged = True
        yield finding
    if damaged:
        return
    yield from link_faults(inspection.engine)
    yield from rule_faults(inspection.engine)
    yield from sample_faults(inspection)
    yield from edit_faults(inspection)
    yield from missing_edits(inspection)
    yield from needless_edits(inspection)
    yield from stray_scores(inspection)
    yield from missing_scores(inspection)
