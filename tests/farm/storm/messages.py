"""What befalls the messages in the broker: doubled, reordered, mixed with garbage, their readers thrown out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

import redis

from tests.farm.servers import Broker

QUEUES = ("edit", "score")
_LISTS = [f"{queue}{priority}" for queue in QUEUES for priority in ("", "\x06\x163", "\x06\x166", "\x06\x169")]
"""kombu keeps a list for each priority."""


def double(broker: Broker, random: Random) -> None:
    """Queue again, under the same ids, up to twenty messages that wait and all that are being worked on."""
    with broker.client() as client:
        for name in _LISTS:
            waiting = client.lrange(name, 0, -1)
            again = random.sample(waiting, min(20, len(waiting)))
            if again:
                client.rpush(name, *again)
        for unacknowledged in client.hvals("unacked"):
            message, _, queue = json.loads(unacknowledged)
            if queue in QUEUES:
                client.rpush(queue, json.dumps(message))


def shuffle(broker: Broker, random: Random) -> None:
    """Put every list of messages into another order, at one moment each."""

    def shuffled(pipeline: Any, name: str) -> None:
        waiting = pipeline.lrange(name, 0, -1)
        random.shuffle(waiting)
        pipeline.multi()
        if waiting:
            pipeline.delete(name).rpush(name, *waiting)

    with broker.client() as client:
        for name in _LISTS:
            _transaction(client, shuffled, name)


def push_garbage(broker: Broker, random: Random) -> None:
    """Put something into a queue that is no doorbell, where it is taken next."""
    with broker.client() as client:
        client.rpush(random.choice(_LISTS), random.choice(_GARBAGE)())


def kill_clients(broker: Broker) -> None:
    """Have the server close every connection but this one's."""
    with broker.client() as client:
        client.execute_command("CLIENT KILL TYPE normal SKIPME yes")
        client.execute_command("CLIENT KILL TYPE pubsub SKIPME yes")


def _transaction(client: redis.Redis, change: Callable[[Any, str], None], name: str) -> None:
    """Change one list; one that its readers change again and again is left as it is."""
    with client.pipeline() as pipeline:
        for _ in range(10):
            try:
                pipeline.watch(name)
                change(pipeline, name)
                pipeline.execute()
                return
            except redis.WatchError:
                continue


def _envelope(task: str, arguments: object, **changed: Any) -> bytes:
    body = json.dumps([arguments, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    message = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": task, "id": "garbage", "root_id": "garbage", "parent_id": None},
        "properties": {
            "correlation_id": "garbage",
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "edit"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": "garbage",
        },
    }
    return json.dumps({**message, **changed}).encode()


_GARBAGE: tuple[Callable[[], bytes], ...] = (
    lambda: b"",
    lambda: b"\xff\xfe not JSON",
    lambda: b"[1, 2, 3]",
    lambda: b"{}",
    lambda: _envelope("edit", [1])[:100],
    lambda: _envelope("no-such-task", [1]),
    lambda: _envelope("edit", []),
    lambda: _envelope("edit", ["seventeen"]),
    lambda: _envelope("score", [-1]),
    lambda: _envelope("score", [10**30]),
    lambda: _envelope("edit", [[1, 2]]),
    lambda: _envelope("edit", [1], body=base64.b64encode(b"not JSON").decode()),
    lambda: _envelope("edit", [1], **{"content-type": "application/x-python-serialize"}),
)
