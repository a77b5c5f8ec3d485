"""Whether the dashboard and the metrics are for this farm's people alone."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from db.addresses import is_loopback
from producer.doctor.addresses import outward_address
from producer.doctor.finding import Found, State, Trouble, fine

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

ANSWER_SECONDS = 2.0
FLOWER_PORT = 5555

NO_LOGIN = Trouble(
    State.NOTE,
    "Flower started from here would ask for no login; on loopback it is open to the users of this machine",
    "`export FLOWER_BASIC_AUTH=NAME:PASSWORD`, or the same line in the environment that starts Flower",
)
OPEN_ADDRESS = Trouble(
    State.FAULT,
    "`celery -A workers flower` refuses to start from here: the network would see it, and it has no login",
    "`export FLOWER_BASIC_AUTH=NAME:PASSWORD`, or `unset FLOWER_ADDRESS` for loopback alone",
)
OPEN_HERE = Trouble(
    State.NOTE,
    "a Flower runs here that asks this machine's users for no login",
    "start it with `FLOWER_BASIC_AUTH=NAME:PASSWORD celery -A workers flower`",
)
OPEN_TO_NETWORK = Trouble(
    State.FAULT,
    "a Flower runs here that asks nobody in the network for a login; it can stop workers",
    "end it, and start it with `FLOWER_BASIC_AUTH=NAME:PASSWORD celery -A workers flower`, which keeps to loopback",
)
METRICS_OPEN = Trouble(
    State.WARNING,
    "the metrics of workers are open to all who reach this host; they have no login",
    "`unset FARM_METRICS_ADDRESS` for loopback alone, or let a firewall pass Prometheus only",
)


def flower_login(_sights: Sights) -> Iterator[Found]:
    """See whether a Flower that is started from here would ask for a login."""
    address = os.environ.get("FLOWER_ADDRESS", "127.0.0.1")
    if os.environ.get("FLOWER_BASIC_AUTH") or os.environ.get("FLOWER_AUTH"):
        yield fine("Flower asks for a login")
    elif is_loopback(address):
        yield NO_LOGIN("FLOWER_BASIC_AUTH is not set")
    else:
        yield OPEN_ADDRESS(f"FLOWER_ADDRESS is {address!r}, and FLOWER_BASIC_AUTH is not set")


def flower_running(_sights: Sights) -> Iterator[Found]:
    """Ask what listens at Flower's port for its first page, without a login, from here and as the network would."""
    port = _port()
    outward = outward_address()
    if outward is not None and _shows_flower(outward, port):
        yield OPEN_TO_NETWORK(f"{outward}:{port} shows Flower to everyone")
    elif _shows_flower("127.0.0.1", port):
        yield OPEN_HERE(f"127.0.0.1:{port} shows Flower without a login")
    else:
        yield fine(f"nothing at port {port} shows Flower without a login")


def metrics(sights: Sights) -> Iterator[Found]:
    """See who can read the workers' metrics."""
    settings = sights.settings()
    if settings.metrics_port is None:
        yield fine("FARM_METRICS_PORT is not set: none are served")
    elif is_loopback(settings.metrics_address):
        yield fine(f"on {settings.metrics_address}")
    else:
        yield METRICS_OPEN(f"FARM_METRICS_ADDRESS is {settings.metrics_address}")


def _port() -> int:
    given = os.environ.get("FLOWER_PORT", "")
    return int(given) if given.isdigit() and 0 < int(given) < 1 << 16 else FLOWER_PORT


def _shows_flower(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/workers")
        answer = connection.getresponse()
        return answer.status == http.HTTPStatus.OK and b"Flower" in answer.read(100_000)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
