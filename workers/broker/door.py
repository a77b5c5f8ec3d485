"""What may come in from the broker: doorbells of one exact shape, and sound envelopes of Celery's remote control.

Everything is looked at as the bytes it is, before kombu makes anything of it. Without that a malformed message ends the
worker, and may be put back to end the next one. What is refused has been taken from the broker, so it is gone; the
ledger misses no message.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from typing import Any

from db.tables import Stage
from workers.app import app

LARGEST_DOORBELL = 8_000
"""Bytes of a whole message that asks for a job; ours have about 1,000."""

LARGEST_ENVELOPE = 1_000_000
"""Bytes of anything else: remote control, its replies, events."""

MOST_BRACKETS = 200
"""Brackets in an envelope: ours have about 10, for the body is encoded; too many could exhaust the reader's stack."""


class Refused(Exception):
    """This may not come in; the message says why."""


def check_doorbell(raw: bytes, stage: str) -> None:
    """Return if this message from the queue of the stage asks for one job of it and for nothing else; else Refused."""
    message = _envelope(raw, LARGEST_DOORBELL)
    _check(message, _doorbell(stage), "message", exact=True)
    match _body(message):
        case [[job_id], {**keywords}, end] if not keywords and end == _bare_call()[1]:
            if type(job_id) is not int or not 1 <= job_id < 2**63:
                raise Refused("the argument is no number of a job")
        case _:
            raise Refused("the body is more or less than one argument")


def check_envelope(raw: bytes) -> None:
    """Return if kombu can take this message of remote control apart; else Refused."""
    message = _envelope(raw, LARGEST_ENVELOPE)
    _check(message, _ENVELOPE, "message", exact=False)
    if not isinstance(_body(message), dict | list):
        raise Refused("the body is neither an object nor a list")


def check_unacknowledged(raw: bytes) -> None:
    """Return if kombu can put this entry of its hash of unacknowledged messages back into a queue; else Refused."""
    match _json(raw):
        case [message, str(), str()]:
            _check(message, _RESTORABLE, "message", exact=False)
        case _:
            raise Refused("it is not a message, its exchange and its routing key")


# -- shapes: a field is of a type, of a pattern, a value, one of several of these, or an object of fields --------------

_WORD = re.compile(r"[0-9A-Za-z_.-]{1,60}")
_NOTE = re.compile(r"[ -~]{0,300}")  # shown to people, read by nothing
_MAY_BE_MISSING = {"clock", "compression", "redelivered"}
_CONTENT = {"body": str, "content-type": "application/json", "content-encoding": "utf-8"}

_ENVELOPE = {
    **_CONTENT,
    "headers": {"compression": None, "clock": int},  # by that clock the parent sets its own
    "properties": {
        "delivery_info": {"exchange": str, "routing_key": str},
        "body_encoding": "base64",
        "delivery_tag": _WORD,
    },
}

_RESTORABLE = {"headers": dict, "properties": {"delivery_info": dict}}


@cache
def _doorbell(stage: str) -> dict[str, Any]:
    asking_for_nothing_special, _ = _bare_call()
    return {
        **_CONTENT,
        "headers": {
            **asking_for_nothing_special,
            "task": stage,
            "id": _WORD,
            "root_id": _WORD,
            "parent_id": (_WORD, None),
            "argsrepr": _NOTE,
            "kwargsrepr": _NOTE,
            "origin": _NOTE,
            "ignore_result": (bool, None),
            "redelivered": bool,
        },
        "properties": {
            "correlation_id": _WORD,
            "reply_to": (_WORD, ""),
            "delivery_mode": (1, 2),
            "delivery_info": {"exchange": "", "routing_key": stage, "redelivered": bool},
            "priority": tuple(range(10)),
            "body_encoding": "base64",
            "delivery_tag": _WORD,
        },
    }


@cache
def _bare_call() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return headers and the body's end of a call that asks for nothing special, as this version of Celery has them."""
    message = app.amqp.as_task_v2("id", Stage.EDIT.value)
    return message.headers, message.body[2]


def _check(value: Any, shape: Any, place: str, *, exact: bool) -> None:
    if not isinstance(shape, dict):
        if not _fits(value, shape):
            raise Refused(f"{place} is not as it should be")
        return
    if not isinstance(value, dict):
        raise Refused(f"{place} is no object")
    if exact and (more := value.keys() - shape.keys()):
        raise Refused(f"{place}.{min(more)} is one too many")
    for name, inner in shape.items():
        if name in value:
            _check(value[name], inner, f"{place}.{name}", exact=exact)
        elif name not in _MAY_BE_MISSING:
            raise Refused(f"{place}.{name} is missing")


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, tuple):
        return any(_fits(value, alternative) for alternative in shape)
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and shape.fullmatch(value) is not None
    if isinstance(shape, type):
        return type(value) is shape
    return type(value) is type(shape) and value == shape


# -- reading -----------------------------------------------------------------------------------------------------------


def _envelope(raw: bytes, largest: int) -> Any:
    if len(raw) > largest:
        raise Refused(f"{len(raw)} bytes, more than {largest}")
    if raw.count(b"[") + raw.count(b"{") > MOST_BRACKETS:
        raise Refused(f"more than {MOST_BRACKETS} brackets")
    return _json(raw)


def _body(message: dict[str, Any]) -> Any:
    try:
        return _json(base64.b64decode(message["body"], validate=True))
    except ValueError as error:  # binascii.Error is one, and so is a letter that is not of ASCII
        raise Refused("the body is not base64") from error


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), object_hook=_plain, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a number of 5,000 digits, nested too deep
        raise Refused("it is not JSON") from error


def _plain(read: dict[str, Any]) -> dict[str, Any]:
    if "__type__" in read:  # kombu would make a date or a number of it, or raise whatever comes of that
        raise Refused("an object of a type of its own")
    return read


def _no_constant(name: str) -> None:
    raise Refused(f"{name} is not JSON")
