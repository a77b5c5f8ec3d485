"""The names under which every line of the log that is about a job says which."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import structlog

from db.jobs import Claim, HandedBack


def ids(job: Claim | HandedBack) -> dict[str, Any]:
    """Return what such a line begins with."""
    return {
        "stage": job.stage.value,
        "run": job.run_id,
        "job": job.job_id,
        "sample": job.key,
        "attempt": job.attempt,
    }


def logged_as_of(claims: Sequence[Claim]) -> AbstractContextManager[Any]:
    """Have this thread say, for the length of the block, which job its events are about; of a batch, what all share."""
    each = [ids(claim) for claim in claims]
    shared = {name: value for name, value in each[0].items() if all(one[name] == value for one in each)}
    jobs = {"jobs": [one["job"] for one in each]} if len(each) > 1 else {}
    return structlog.contextvars.bound_contextvars(**shared, **jobs)
