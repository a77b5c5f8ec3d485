"""What the doctor makes of the workers and jobs in a ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, update

from db.engine import open_engine, transaction
from db.ledger import Ledger
from db.owner import Process
from db.presence import enter_worker, worker_is_sick
from db.tables import State as JobState
from db.tables import edits, workers
from producer.doctor.finding import State
from tests.factories import enter
from tests.producer.doctor.conftest import Look, states

HERE = Process("here/boot/1", 1, "1")


@pytest.fixture
def sqlite(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("FARM_DATABASE_URL", sqlite_url)
    return open_engine(sqlite_url)


def long_ago(engine: Engine, **columns: object) -> None:
    with transaction(engine) as connection:
        connection.execute(update(edits).values(not_before=0, **columns))


def test_jobs_that_wait_without_a_worker_are_a_warning_and_an_idle_farm_is_none(look: Look, sqlite: Engine) -> None:
    assert states(look("workers")) == [State.NOTE]
    enter(Ledger(sqlite), samples=3)
    long_ago(sqlite)

    (found,) = look("workers")

    assert (found.state, found.seen) == (State.WARNING, "3 edits waiting, and no worker lives")
    enter_worker(sqlite, "edit-gpu0@here", HERE, "0")
    assert states(look("workers")) == [State.OK]


def test_a_sick_worker_is_a_fault_with_its_reason_and_a_silent_one_a_warning(look: Look, sqlite: Engine) -> None:
    for name, pid in (("edit-gpu0@here", 1), ("edit-gpu1@here", 2), ("edit-gpu2@here", 3)):
        enter_worker(sqlite, name, Process("here/boot/1", pid, "1"), "0")
    assert states(look("workers-health")) == [State.OK]
    worker_is_sick(sqlite, "edit-gpu0@here", HERE, "CUDA error: an illegal memory access")
    with transaction(sqlite) as connection:
        connection.execute(update(workers).where(workers.c.name == "edit-gpu1@here").values(seen_at=1))

    sick, silent = look("workers-health")

    assert (sick.state, silent.state) == (State.FAULT, State.WARNING)
    assert "edit-gpu0@here" in sick.seen
    assert "illegal memory access" in sick.seen
    assert "edit-gpu1@here" in silent.seen


def test_leases_that_ran_out_and_that_nobody_hands_back_are_a_warning(look: Look, sqlite: Engine) -> None:
    enter(Ledger(sqlite))
    assert states(look("leases")) == [State.OK]
    long_ago(sqlite, state=JobState.RUNNING, owner="here/boot/1|1|1|d", lease_until=1, attempt=1)

    assert states(look("leases")) == [State.WARNING]


@pytest.mark.integration
def test_messages_that_are_owed_for_long_while_their_queue_has_room_are_a_warning(
    look: Look, sqlite: Engine, broker_url: str
) -> None:
    enter(Ledger(sqlite))
    long_ago(sqlite, published_at=None)
    assert look("messages", FARM_BROKER_URL=broker_url) == []  # without a worker nobody owes them
    enter_worker(sqlite, "edit-gpu0@here", HERE, "0")

    assert states(look("messages")) == [State.WARNING]
    with redis.Redis.from_url(broker_url) as client:
        client.rpush("edit", *["message"] * 200)
    assert states(look("messages")) == [State.OK]


def test_a_ledger_that_is_not_there_has_no_workers_to_tell_of(look: Look, tmp_path: Path) -> None:
    assert [look(name) for name in ("workers", "workers-health", "leases", "messages")] == [[], [], [], []]
