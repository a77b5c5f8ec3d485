"""What comes in from the broker, and that nothing else does, whatever it is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import redis
from celery import Celery
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport import redis as kombu_redis

from celeryconfig import message_for
from db.jobs import Doorbell
from db.tables import Stage
from tests.garbage import NO_DOORBELLS, NO_ENVELOPES, NO_UNACKNOWLEDGED, encoded, message
from workers.app import app
from workers.broker.door import Refused, check_doorbell, check_envelope, check_unacknowledged
from workers.broker.transport import Transport

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["body", "content-type", "content-encoding", "headers", "properties"]
INNER = [(place, name) for place in ("headers", "properties") for name in json.loads(message())[place]]


@pytest.fixture
def queues(broker_url: str) -> Any:
    with redis.Redis.from_url(broker_url) as client:
        yield client


@pytest.fixture
def sender(broker_url: str) -> Any:
    """An app like the producer's: it sends by task name and knows no task."""
    celery = Celery("sender", set_as_current=False)
    celery.config_from_object("celeryconfig")
    celery.conf.broker_url = broker_url
    yield celery
    celery.close()


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(("priority", "suffix"), [("high", "\x06\x163"), ("normal", "\x06\x166"), ("low", "\x06\x169")])
def test_what_this_celery_sends_for_a_doorbell_comes_in(
    sender: Celery, queues: redis.Redis, stage: Stage, priority: Any, suffix: str
) -> None:
    sender.send_task(**message_for(Doorbell(stage, 2**63 - 1, priority)))

    raw = queues.rpop(f"{stage}{suffix}")

    assert isinstance(raw, bytes)
    check_doorbell(raw, stage.value)
    check_envelope(raw)


def test_a_doorbell_that_was_put_back_comes_in_again() -> None:
    again = {"headers": {"redelivered": True}}
    route = {"delivery_info": {"exchange": "", "routing_key": "edit", "redelivered": True}}

    check_doorbell(message(**again, properties=route), "edit")


def test_what_celery_sends_for_remote_control_comes_in(sender: Celery, queues: redis.Redis) -> None:
    with queues.pubsub() as listener:
        listener.psubscribe("*")
        sender.control.broadcast("ping", reply=False)
        with sender.events.default_dispatcher() as dispatcher:
            dispatcher.send("worker-heartbeat", freq=2.0)
        heard = [said for _ in range(5) if (said := listener.get_message(timeout=1)) and said["type"] == "pmessage"]

    assert {said["channel"] for said in heard} == {b"/0.celery.pidbox", b"/0.celeryev/worker.heartbeat"}
    for said in heard:
        check_envelope(said["data"])


@pytest.mark.parametrize("garbage", NO_DOORBELLS.values(), ids=NO_DOORBELLS)
def test_what_asks_for_no_job_or_for_more_is_refused(garbage: bytes) -> None:
    with pytest.raises(Refused):
        check_doorbell(garbage, "edit")


@pytest.mark.parametrize("garbage", NO_ENVELOPES.values(), ids=NO_ENVELOPES)
def test_what_kombu_cannot_take_apart_is_refused(garbage: bytes) -> None:
    with pytest.raises(Refused):
        check_envelope(garbage)


@pytest.mark.parametrize("garbage", NO_UNACKNOWLEDGED.values(), ids=NO_UNACKNOWLEDGED)
def test_what_cannot_be_put_back_is_refused(garbage: bytes) -> None:
    with pytest.raises(Refused):
        check_unacknowledged(garbage)


def test_an_unacknowledged_message_can_be_put_back() -> None:
    check_unacknowledged(json.dumps([json.loads(message()), "", "edit"]).encode())


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_it_is_it_is_let_in_or_refused(raw: bytes) -> None:
    for check in (lambda: check_doorbell(raw, "edit"), lambda: check_envelope(raw), lambda: check_unacknowledged(raw)):
        with suppress(Refused):
            check()


@given(st.sampled_from(FIELDS), JSON)
def test_a_doorbell_with_any_field_replaced_is_refused(field: str, value: object) -> None:
    fields = {**json.loads(message()), field: value}

    with pytest.raises(Refused):
        check_doorbell(json.dumps(fields).encode(), "edit")


@given(st.sampled_from(INNER), st.lists(JSON, min_size=1, max_size=1) | st.dictionaries(st.text(), JSON, min_size=1))
def test_a_doorbell_with_anything_inside_one_of_its_fields_is_refused(place: tuple[str, str], value: object) -> None:
    outer, name = place

    with pytest.raises(Refused):
        check_doorbell(message(**{outer: {name: value}}), "edit")


@given(JSON)
def test_only_one_whole_number_is_a_job(value: object) -> None:
    if type(value) is int and 1 <= value < 2**63:
        check_doorbell(message(value), "edit")
    else:
        with pytest.raises(Refused):
            check_doorbell(message(value), "edit")


@given(JSON)
def test_what_a_call_says_beyond_its_arguments_is_refused(value: object) -> None:
    with pytest.raises(Refused):
        check_doorbell(message(body=encoded([[1], {}, value])), "edit")


class TestKombu:
    """What `workers/broker/transport.py` relies on; kombu may change it without a word."""

    def test_a_workers_connection_has_the_door_in_it(self, broker_url: str) -> None:
        with app.connection_for_read(broker_url) as connection:
            assert type(connection.transport) is Transport

    def test_a_tls_connection_has_it_too_and_stays_one(self) -> None:
        with app.connection_for_read("rediss://127.0.0.1:1/0?ssl_cert_reqs=required") as connection:
            assert connection.get_transport_cls() is Transport
            assert connection.ssl

    def test_garbage_in_a_queue_counts_as_nothing_and_what_is_behind_it_is_delivered(
        self, broker_url: str, queues: redis.Redis
    ) -> None:
        for raw in (b"garbage", message(7)):
            queues.lpush("edit\x06\x166", raw)
        got: list[Any] = []
        with app.connection_for_read(broker_url) as connection:
            consumer = app.amqp.TaskConsumer(connection, on_message=got.append)
            with consumer, suppress(TimeoutError):
                while not got:
                    connection.drain_events(timeout=5)
            got[0].ack()

        assert [said.headers["id"] for said in got] == ["5f6c"]

    def test_garbage_among_the_unacknowledged_is_dropped_and_what_is_behind_it_is_put_back(
        self, broker_url: str, queues: redis.Redis
    ) -> None:
        entries = {**NO_UNACKNOWLEDGED, "good": json.dumps([json.loads(message()), "", "edit"]).encode()}
        for age, (name, raw) in enumerate(entries.items(), start=1):
            queues.hset("unacked", name, raw)
            queues.zadd("unacked_index", {name: len(entries) - age + 1})
        with app.connection_for_read(broker_url) as connection:
            channel: Any = connection.default_channel
            channel.qos.restore_visible()

        assert queues.hlen("unacked") == queues.zcard("unacked_index") == 0
        assert queues.llen("edit\x06\x163") == 1

    def test_the_door_replaces_what_is_there(self) -> None:
        for name in ("_get_client", "_brpop_read", "_receive_one", "sep"):
            assert hasattr(kombu_redis.Channel, name)
        for name in ("restore_by_tag", "_remove_from_indices"):
            assert hasattr(kombu_redis.QoS, name)
