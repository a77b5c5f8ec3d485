"""What a scrape has asked of ledger and broker."""

from __future__ import annotations

from collections import Counter

from db import farm
from db.depth import jobs_in
from db.presence import present_workers
from db.tables import State
from workers.broker.queues import messages_waiting
from workers.metrics.catalogue import LEDGER_JOBS, OPEN, QUEUE_MESSAGES, WORKER_STATES, WORKERS
from workers.metrics.sampling import Reading


def of_ledger() -> list[Reading]:
    """Return how many jobs are in which state, and how many workers."""
    counts = jobs_in(farm.engine(), *map(State, OPEN))
    jobs = [Reading(LEDGER_JOBS, count, {"stage": stage, "state": state}) for (stage, state), count in counts.items()]
    present = Counter("silent" if one.silent else one.health.value for one in present_workers(farm.engine()))
    return [*jobs, *(Reading(WORKERS, present[state], {"state": state}) for state in WORKER_STATES)]


def of_broker() -> list[Reading]:
    """Return how many messages wait in which queue."""
    return [Reading(QUEUE_MESSAGES, count, {"queue": stage}) for stage, count in messages_waiting().items()]
