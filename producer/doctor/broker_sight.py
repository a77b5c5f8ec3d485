"""The broker as it says of itself, read once over one connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any, TypeVar

from db.broker import broker_address
from db.broker_url import BrokerUrl, without_password
from db.settings import Settings
from db.tables import Stage
from producer.doctor.clocks import ClockReading, read_clock

ANSWER_SECONDS = 3.0

_T = TypeVar("_T")


@dataclass(frozen=True)
class Broker:
    """A broker that answered; what its user may not ask is None. `waiting`: messages in the queue of each stage.

    `cli_url` is what `redis-cli -u` takes, at the primary where sentinels name it; it asks for the password itself.
    """

    address: str
    cli_url: str
    host: str
    user: str
    has_login: bool
    encrypted: bool
    answered_in_seconds: float
    info: Mapping[str, Any] | None
    clock: ClockReading | None
    waiting: Mapping[Stage, int] | None


def read_broker(settings: Settings) -> Broker:
    """Ask the broker of the settings. Raises WrongCall, redis.RedisError and OSError."""
    address = broker_address()
    url = BrokerUrl.read(address)
    with url.client(ANSWER_SECONDS) as client:
        began = time.monotonic()
        client.ping()
        host, port = _place(url, client)
        return Broker(
            address=without_password(address),
            cli_url=_for_cli(url, host, port),
            host=host,
            user=url.login.get("username", "default"),
            has_login="password" in url.login,
            encrypted=bool(url.tls),
            answered_in_seconds=time.monotonic() - began,
            info=_if_allowed(client.info),
            clock=_if_allowed(lambda: read_clock(lambda: _seconds(client.time()))),
            waiting=_if_allowed(
                lambda: {stage: sum(map(client.llen, queue_keys(stage, settings.broker_prefix))) for stage in Stage}
            ),
        )


def _place(url: BrokerUrl, client: Any) -> tuple[str, int]:
    """Return where the server is that has just answered."""
    if url.master is None:
        return url.hosts[0]
    host, port = client.connection_pool.master_address
    return str(host), int(port)


_FOR_CLI = {"ssl_ca_certs": "--cacert", "ssl_certfile": "--cert", "ssl_keyfile": "--key"}


def _for_cli(url: BrokerUrl, host: str, port: int) -> str:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    files = [f"{flag} {quote(str(url.tls[name]))}" for name, flag in _FOR_CLI.items() if name in url.tls]
    trusting = ["--insecure"] if url.tls.get("ssl_cert_reqs") == "none" else []
    asking = ["--askpass"] if "password" in url.login else []
    return " ".join([f"redis{'s' if url.tls else ''}://{place}/{url.database}", *files, *trusting, *asking])


def queue_keys(stage: Stage, prefix: str = "") -> list[str]:
    """Return the lists in which kombu keeps a queue: one per priority, 0, 3, 6 and 9."""
    return [f"{prefix}{stage.value}{end}" for end in ("", "\x06\x163", "\x06\x166", "\x06\x169")]


def _seconds(answer: tuple[int, int]) -> float:
    seconds, microseconds = answer
    return seconds + microseconds / 1e6


def _if_allowed(ask: Callable[[], _T]) -> _T | None:
    """Return the answer; None where the user's rules forbid the question, or it means nothing there."""
    from redis.exceptions import ResponseError

    try:
        return ask()
    except ResponseError:
        return None
