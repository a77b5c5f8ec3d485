"""What the transport does when the broker does not take what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import redis
from kombu import Connection
from kombu.transport import get_transport_cls

from tests.farm.servers import Broker
from workers import celery
from workers.broker import transport

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as server:
        yield server


@pytest.mark.parametrize("answer", ["ack", "reject", "requeue"])
def test_a_message_whose_end_the_broker_does_not_take_makes_room_for_the_next(broker: Broker, answer: str) -> None:
    with Connection(broker.url, transport="workers.broker.transport:Transport") as connection:
        channel: Any = connection.default_channel
        channel.basic_qos(0, 1, False)
        queue = connection.SimpleQueue("two")
        queue.put({"number": 1})
        queue.put({"number": 2})
        first = queue.get(timeout=5)
        with pytest.raises(Empty):
            queue.get(timeout=0.5)  # one at a time

        with redis.Redis.from_url(broker.url) as administrator:
            administrator.execute_command("ACL", "SETUSER", "default", "-hdel")
            with pytest.raises(redis.RedisError):
                first.ack() if answer == "ack" else first.reject(requeue=answer == "requeue")
            administrator.execute_command("ACL", "SETUSER", "default", "+hdel")

        assert queue.get(timeout=5).payload == {"number": 2}


@pytest.mark.parametrize("address", ["redis://broker", "rediss://broker", "sentinel://one;sentinel://two"])
@pytest.mark.parametrize("prefix", ["", "lab-a:"])
def test_whatever_the_address_what_comes_in_goes_through_the_door(address: str, prefix: str) -> None:
    assert celery
    connection = Connection(address, transport_options={"global_keyprefix": prefix, "master_name": "main"})
    kind = get_transport_cls(connection.transport_cls)
    assert issubclass(kind.Channel, transport._Door)
    assert kind.Channel.QoS is transport.QoS
    channel: Any = kind.Channel.__new__(kind.Channel)
    channel.global_keyprefix = prefix
    client = channel._get_client()(host="broker")
    assert isinstance(client, transport.Client)
    assert isinstance(client.pubsub(), transport.PubSub)
    assert client.global_keyprefix == client.pubsub().global_keyprefix == prefix
