"""Whether there are workers, how they are, and whether what waits is in somebody's hands; as the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from db.doorbells import ENOUGH
from db.presence import sick_workers
from producer.doctor.database_sight import LATE_SECONDS
from producer.doctor.finding import Found, State, Trouble, Unseen, fine
from producer.words import counted, in_words

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

NOBODY = Trouble(State.WARNING, "jobs wait, and no worker lives", "start workers: `python -m workers`")
NOBODY_IDLE = Trouble(State.NOTE, "no worker lives, and no job waits", "nothing to do; for a run: `python -m workers`")
SICK = Trouble(
    State.FAULT,
    "a worker's GPU failed at two jobs in a row, and it takes no more",
    "mend that GPU (`nvidia-smi -q` on its host, or restart the host), then start the worker anew",
)
SILENT = Trouble(
    State.WARNING,
    "a worker has said nothing for a minute: it was killed, or its host is cut off",
    "start it anew, its jobs run elsewhere meanwhile; the entry goes when a worker of that name starts, or after a day",
)
EXPIRED = Trouble(
    State.WARNING,
    "leases ran out and nobody hands their jobs back: workers do that, if one lives and reaches the database",
    "start a worker: `python -m workers`; where workers run, see in their logs whether they reach the database",
)
OWED = Trouble(
    State.WARNING,
    "jobs wait without a message though their queue has room: workers do not reach this broker",
    "give workers and producers the same FARM_BROKER_URL and FARM_BROKER_PREFIX, and see their logs",
)


def living(sights: Sights) -> Iterator[Found]:
    """Count those that live, and what waits for them."""
    ledger = sights.ledger()
    waiting = " and ".join(counted(count, stage.value) for stage, count in ledger.waiting.items() if count)
    if ledger.living:
        count = len(ledger.living)
        where = f" on {len(ledger.hosts)} hosts" if len(ledger.hosts) > 1 else ""
        yield fine(f"{counted(count, 'worker')} alive{where}; {waiting or 'nothing'} waiting")
    else:
        yield NOBODY(f"{waiting} waiting, and no worker lives") if waiting else NOBODY_IDLE("none, and nothing waits")


def health(sights: Sights) -> Iterator[Found]:
    """Name those that are sick, and those that have gone silent."""
    ledger = sights.ledger()
    for worker in sick_workers(ledger.workers):
        yield SICK(f"{worker.name} (GPU {worker.gpu or 'none'}): {worker.reason}")
    for worker in ledger.workers:
        if worker.silent:
            yield SILENT(f"{worker.name} spoke {in_words(worker.seconds_ago)} ago")
    if ledger.living and not sick_workers(ledger.workers):
        yield fine("none is sick")


def leases(sights: Sights) -> Iterator[Found]:
    """Count the leases that ran out longer ago than workers take to see it."""
    expired = sights.ledger().expired
    seen = f"{expired:,} ran out more than {LATE_SECONDS:.0f} s ago"
    yield EXPIRED(seen) if expired else fine("none ran out unseen")


def messages(sights: Sights) -> Iterator[Found]:
    """Hold the messages that are owed against the room in their queues; workers are what sends them."""
    ledger, broker = sights.ledger(), sights.broker()
    if not ledger.living or broker.waiting is None:
        raise Unseen
    late = {stage: owed for stage, owed in ledger.owed.items() if owed and broker.waiting[stage] < ENOUGH}
    for stage, owed in late.items():
        room = f"the queue `{stage.value}` holds {broker.waiting[stage]}"
        yield OWED(f"{counted(owed, stage.value)} owed for more than {LATE_SECONDS:.0f} s, and {room}")
    if not late:
        yield fine("none is owed for long")
