"""Whatever is written into the broker: a worker refuses it in one line each, and goes on with the good messages."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import redis

from tests.farm.conftest import ROOT, FarmUnderTest, children_of, eventually, ready_workers
from tests.farm.steps import await_end, submit
from tests.garbage import NO_DOORBELLS, NO_ENVELOPES, NO_UNACKNOWLEDGED, encoded, message

pytestmark = pytest.mark.integration

LISTS = ("edit", "edit\x06\x163", "edit\x06\x166", "edit\x06\x169", "score", "score\x06\x163", "score\x06\x169")
CONTROL = "/0.celery.pidbox"
MOST_SAID = 2_000_000
"""Bytes said at once to all workers: the broker itself hangs up on a listener who is behind by 32 MB."""
GROWTH_BYTES = 10e6
"""What the parent may have grown by, after a message of 64 MB among others."""


@pytest.fixture
def broker(broker_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(broker_url) as client:
        yield client


def events(farm: FarmUnderTest) -> list[dict[str, Any]]:
    text = (farm.folder / "worker-edit,score.log").read_text(errors="replace")
    whole_lines = text.rpartition("\n")[0].splitlines()
    return [json.loads(line) for line in whole_lines if line.startswith("{")]


def is_ready(farm: FarmUnderTest) -> bool:
    """Say so without a ping: whoever waits for its answer looks after unacknowledged messages too."""
    return any(event["event"].endswith(" ready.") for event in events(farm))


def refusals(farm: FarmUnderTest) -> list[dict[str, Any]]:
    return [event for event in events(farm) if event["event"] == "message.refused"]


def processes(worker: Any) -> list[int]:
    return [worker.pid, *sorted(child.pid for child in children_of(worker))]


def is_empty(broker: redis.Redis) -> bool:
    return not any(broker.exists(name) for name in (*LISTS, "unacked", "unacked_index"))


def write_unacknowledged(broker: redis.Redis) -> None:
    for age, (name, entry) in enumerate(NO_UNACKNOWLEDGED.items(), start=1):
        broker.hset("unacked", name, entry)
        broker.zadd("unacked_index", {name: age})  # in 1970: long overdue to be put back


def test_a_worker_refuses_all_garbage_in_its_queues_and_does_the_jobs_between(
    farm: FarmUnderTest, broker: redis.Redis
) -> None:
    broker.sadd("_kombu.binding.edit", "garbage")
    write_unacknowledged(broker)
    places = itertools.cycle(LISTS)
    after, before = list(NO_DOORBELLS.values())[::2], list(NO_DOORBELLS.values())[1::2]  # 64 MB come after
    for garbage in before:
        broker.lpush(next(places), garbage)

    worker = farm.worker("edit,score")
    eventually(lambda: is_ready(farm), farm=farm)
    at_start, bytes_at_start = processes(worker), psutil.Process(worker.pid).memory_info().rss
    run = submit(farm, pairs=3)
    for garbage in after:
        broker.lpush(next(places), garbage)
    write_unacknowledged(broker)
    await_end(farm, run)
    eventually(lambda: is_empty(broker), farm=farm)

    expected = len(NO_DOORBELLS) + 2 * len(NO_UNACKNOWLEDGED)
    eventually(lambda: len(refusals(farm)) >= expected, farm=farm)
    assert len(refusals(farm)) == expected
    assert processes(worker) == at_start
    assert psutil.Process(worker.pid).memory_info().rss < bytes_at_start + GROWTH_BYTES
    assert farm.report(run)["progress"]["scores"]["done"] == 3
    assert {event["level"] for event in events(farm)} <= {"info", "warning"}
    assert not any(event.get("lost") for event in events(farm))  # none of the good messages had to be sent again
    for refusal in refusals(farm):
        assert set(refusal) == {"event", "source", "reason", "excerpt", "level", "timestamp", "worker", "gpu"}
        assert all(len(text) <= 200 and text.isprintable() for text in map(str, refusal.values()))


def test_a_worker_refuses_all_garbage_said_to_all_workers_and_hears_the_rest(
    farm: FarmUnderTest, broker: redis.Redis
) -> None:
    worker = farm.worker("edit,score")
    eventually(lambda: ready_workers(farm), farm=farm)
    at_start = processes(worker)

    for garbage in NO_ENVELOPES.values():
        said = garbage[:MOST_SAID]
        broker.publish(CONTROL, said)
        broker.publish("/0.celeryev/worker.heartbeat", said)
    reply_to = {"exchange": "", "routing_key": "edit"}
    broker.publish(CONTROL, message(body=encoded({"method": "ping", "arguments": {}, "reply_to": reply_to})))

    # The one more is its own reply to the stranger, refused when it comes in from the queue.
    eventually(lambda: len(refusals(farm)) >= len(NO_ENVELOPES) + 1, farm=farm)
    assert len(refusals(farm)) == len(NO_ENVELOPES) + 1
    assert ready_workers(farm)
    assert processes(worker) == at_start
    assert {event["level"] for event in events(farm)} <= {"info", "warning"}


def test_who_only_asks_the_workers_keeps_refusals_out_of_the_answer(farm: FarmUnderTest, broker: redis.Redis) -> None:
    write_unacknowledged(broker)
    code = "from workers.app import app; app.connection_for_read().default_channel.qos.restore_visible(); print('{}')"

    asked = subprocess.run(
        [sys.executable, "-c", code], env=farm.environment, cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert asked.stdout == "{}\n"
    assert asked.stderr.count("message.refused") == len(NO_UNACKNOWLEDGED)


@pytest.mark.parametrize("key", ["edit", "unacked", "unacked_index"])
def test_a_worker_outlasts_a_key_of_another_type_in_the_place_of_its_own(
    farm: FarmUnderTest, broker: redis.Redis, key: str
) -> None:
    worker = farm.worker("edit,score")
    eventually(lambda: ready_workers(farm), farm=farm)

    broker.delete(key)
    broker.set(key, "garbage")
    broker.lpush(
        "score",
        message(headers={"task": "score"}, properties={"delivery_info": {"exchange": "", "routing_key": "score"}}),
    )
    eventually(
        lambda: any("WRONGTYPE" in event["event"] or "ResponseError" in event["event"] for event in events(farm)),
        farm=farm,
    )
    broker.delete(key)

    await_end(farm, submit(farm, pairs=1))
    assert worker.poll() is None
