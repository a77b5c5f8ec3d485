"""Tells of claims that ended without an outcome of their own: a line of the log for each, and a count."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from db.jobs import HandedBack
from db.tables import FailureKind, State
from workers.job_ids import ids
from workers.tally import Tally

log = structlog.get_logger()


def tell_handed_back(tally: Tally, back: Sequence[HandedBack]) -> None:
    """Tell of each where it stands now: it waits again, or has failed with its last attempt."""
    for one in back:
        if one.lease_expired:
            tally.lease_expired()
        if one.state is State.FAILED:
            kind = FailureKind.POISON.value
            log.warning(f"{one.stage}.failed", **ids(one), now=one.state.value, kind=kind, reason=one.reason)
            tally.ended(one.stage, "failed", kind=kind)
        else:
            log.info(f"{one.stage}.handed_back", **ids(one), now=one.state.value, reason=one.reason)
            tally.ended(one.stage, "handed_back")
