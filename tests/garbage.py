"""Messages as nobody should send them, by what is wrong with each, and the one that they are made from."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

NOTHING_FOLLOWS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
SIGNATURE = {"task": "edit", "args": [2], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": True}


def encoded(body: object) -> str:
    """Return a message's body as it is written into the envelope."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return base64.b64encode(raw).decode()


def message(job_id: object = 1, **given: Any) -> bytes:
    """Return the doorbell of a job, as Celery 5.7 sends it; `given` replaces fields, inner ones as `headers={...}`."""
    fields: dict[str, Any] = {
        "body": encoded([[job_id], {}, NOTHING_FOLLOWS]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            **{"lang": "py", "task": "edit", "id": "5f6c", "shadow": None, "eta": None, "expires": None},
            **{"group": None, "group_index": None, "retries": 0, "timelimit": [None, None], "root_id": "5f6c"},
            **{"parent_id": None, "argsrepr": "[1]", "kwargsrepr": "{}", "origin": "gen1@host"},
            **{"ignore_result": None, "replaced_task_nesting": 0, "stamped_headers": None, "stamps": {}},
        },
        "properties": {
            **{"correlation_id": "5f6c", "reply_to": "875a", "delivery_mode": 2, "priority": 3},
            **{"delivery_info": {"exchange": "", "routing_key": "edit"}, "body_encoding": "base64"},
            "delivery_tag": "e2dd",
        },
    }
    for name, value in given.items():
        place = name.replace("_", "-") if name.startswith("content") else name
        fields[place] = {**fields[place], **value} if isinstance(value, dict) else value
    return json.dumps(fields).encode()


def call(*parts: object) -> bytes:
    """Return a doorbell with this body."""
    return message(body=encoded(list(parts)))


NO_ENVELOPES = {
    "bytes that are no text": b"\xff\xfe\x00\x1b[31m\n",
    "nothing": b"",
    "text": b"hello",
    "an empty list": b"[]",
    "an empty object": b"{}",
    "null": b"null",
    "a number that is none": b"NaN",
    "an envelope of one field": b'{"body": 1}',
    "nested too deep to be read": b"[" * 100_000,
    "kombu's own type, of a wrong value": b'{"__type__": "bytes", "__value__": 5}',
    "kombu's own type, not a decimal": b'{"__type__": "decimal", "__value__": "x"}',
    "properties of kombu's own type": message(properties={"__type__": "uuid", "__value__": {}}),
    "a body that is not base64": message(body="!!!not base64"),
    "a body that is a number": message(body=5),
    "a body that is not JSON": message(body=encoded(b"not JSON")),
    "pickle": message(body=encoded(pickle.dumps(([1], {}, {}))), content_type="application/x-python-serialize"),
    "YAML": message(body=encoded(b"[[1], {}, {}]"), content_type="application/x-yaml"),
    "another character set": message(content_encoding="utf-99"),
    "a content type that is a number": message(content_type=5),
    "an unknown body encoding": message(properties={"body_encoding": "nope"}),
    "properties that are a list": message(properties=[]),
    "a delivery tag that is a list": message(properties={"delivery_tag": [1]}),
    "a delivery tag that is an object": message(properties={"delivery_tag": {}}),
    "a route that is text": message(properties={"delivery_info": "x"}),
    "a route that is null": message(properties={"delivery_info": None}),
    "headers that are a list": message(headers=[1]),
    "headers that are null": message(headers=None),
    "headers that are text": message(headers="abc"),
    "a compressed body that grows by 1,000": message(
        body=encoded(zlib.compress(b" " * 3_000_000, 9)), headers={"compression": "application/x-gzip"}
    ),
    "an odd compression": message(headers={"compression": ["x"]}),
    "a clock that is text": message(headers={"clock": "x"}),
    "64 MB": message(body="A" * 64_000_000),
}
"""What kombu cannot take apart, or must not."""

NO_DOORBELLS = {
    **NO_ENVELOPES,
    "an unknown task": message(headers={"task": "rm"}),
    "a task that is a list": message(headers={"task": ["edit"]}),
    "a task of Celery's own": message(headers={"task": "celery.backend_cleanup"}),
    "a task that calls others": message(
        body=encoded([[SIGNATURE, [[1]]], {}, NOTHING_FOLLOWS]), headers={"task": "celery.map"}
    ),
    "the other stage's task": message(headers={"task": "score"}),
    "the older protocol": message(body=encoded({"task": "edit", "id": "x", "args": [1], "kwargs": {}}), headers=[]),
    "no argument": call([], {}, NOTHING_FOLLOWS),
    "two arguments": call([1, 2], {}, NOTHING_FOLLOWS),
    "text": message("1"),
    "a float": message(1.5),
    "true": message(True),
    "zero": message(0),
    "a negative number": message(-1),
    "2 to the 63": message(2**63),
    "a number of 4,000 digits": message(10**3999),
    "a null": message(None),
    "a list": message([1]),
    "a keyword argument": call([1], {"x": 1}, NOTHING_FOLLOWS),
    "keyword arguments that are a list": call([1], [], NOTHING_FOLLOWS),
    "an end that is a list": call([1], {}, []),
    "no end": call([1], {}),
    "a body that is an object": message(body=encoded({"args": [1]})),
    "a body that is JSON's 5": message(body=encoded(5)),
    "callbacks": call([1], {}, {**NOTHING_FOLLOWS, "callbacks": [SIGNATURE]}),
    "errbacks": call([1], {}, {**NOTHING_FOLLOWS, "errbacks": [SIGNATURE]}),
    "a chain": call([1], {}, {**NOTHING_FOLLOWS, "chain": [SIGNATURE]}),
    "a chord": call([1], {}, {**NOTHING_FOLLOWS, "chord": SIGNATURE}),
    "a late start": message(headers={"eta": "2099-01-01T00:00:00"}),
    "a late start that is a number": message(headers={"eta": 5}),
    "an expiry": message(headers={"expires": "2001-01-01T00:00:00"}),
    "a time limit": message(headers={"timelimit": [0.001, 0.001]}),
    "a time limit that is text": message(headers={"timelimit": "xx"}),
    "retries": message(headers={"retries": 3}),
    "a group": message(headers={"group": {"a": 1}}),
    "stamps": message(headers={"stamped_headers": ["a"], "a": 1}),
    "a header too many": message(headers={"is_eager": True}),
    "a property too many": message(properties={"expiration": "1"}),
    "a field too many": message(redelivered=True),
    "another language": message(headers={"lang": "go"}),
    "half a character": message(headers={"argsrepr": "\ud800"}),
    "a control character": message(headers={"origin": "a\x1b[2J"}),
    "a task id that is empty": message(headers={"id": ""}),
    "a task id of 10 kB": message(headers={"id": "a" * 10_000}),
    "a task id with a bar": message(headers={"id": "a|b"}),
    "a task id of two lines": message(headers={"id": "a\nb"}),
    "a task id that ends its line": message(headers={"id": "a\n"}),
    "a task id with a NUL": message(headers={"id": "a\0b"}),
    "a task id that is a list": message(headers={"id": [1]}),
    "a reply address that is an object": message(properties={"reply_to": {"x": 1}}),
    "a route to other queues": message(properties={"delivery_info": {"exchange": "x", "routing_key": "unacked"}}),
    "a priority that is text": message(properties={"priority": "high"}),
}
"""What asks for no job, or for more than one job."""

NO_UNACKNOWLEDGED = {
    "text": b"garbage",
    "an empty list": b"[]",
    "an object of three": b'{"a": 1, "b": 2, "c": 3}',
    "kombu's own type, of a wrong value": b'{"__type__": "uuid", "__value__": {"q": 1}}',
    "a number as its message": b'[5, "", "edit"]',
    "a list as its route": b'[{"headers": {}, "properties": {"delivery_info": []}}, "", "edit"]',
    "an object as its exchange": b'[{"headers": {}, "properties": {"delivery_info": {}}}, {}, "edit"]',
    "nested too deep to be read": b"[" * 100_000,
}
"""What cannot be put back into a queue."""
