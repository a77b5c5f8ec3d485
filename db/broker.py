"""Where the broker is: FARM_BROKER_URL, else the embedded one of FARM_HOME when it runs, else Redis on this host."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from db.errors import ServiceUnreachable, WrongCall
from db.one_host import require_database_for_all
from db.owner import Process, this_host
from db.settings import settings

DEFAULT_ADDRESS = "redis://127.0.0.1:6379/0"
GONE_SECONDS = 15.0
"""So long the embedded broker may be gone before it counts as ended."""

_ANSWER_SECONDS = 3
_NO_REDIS_URL = (
    "FARM_BROKER_URL is not a Redis URL; expected redis://:PASSWORD@HOST:PORT/NUMBER, where a password with / or @ "
    "has them written as %2F and %40"
)
_DATABASE = re.compile(r"(/\d*)?")
_PASSWORD_IN_QUERY = re.compile(r"(?<=[?&])password=[^&]*&?")


def broker_folder() -> Path:
    """Return where the embedded broker keeps its data, its password and its endpoint."""
    return settings().home_path / "broker"


def endpoint_file() -> Path:
    """Return the file in which a running embedded broker leaves its address; private to the user."""
    return broker_folder() / "endpoint.json"


def broker_address() -> str:
    """Return the broker's URL, password included: for connecting, never for showing.

    Raises WrongCall for what is no Redis URL. Nobody after us may see one: where its password stands they do not know,
    and their complaints repeat it.
    """
    given = settings().broker_url
    if given is None:
        return embedded_address() or DEFAULT_ADDRESS
    address = given.get_secret_value()
    if not _is_redis_url(address):
        raise WrongCall(_NO_REDIS_URL)
    return address


def embedded_address() -> str | None:
    """Return the URL of the embedded broker of FARM_HOME, None when none runs there."""
    try:
        endpoint = json.loads(endpoint_file().read_text())
    except (FileNotFoundError, json.JSONDecodeError):  # absent, or just being written
        return None
    server = Process(this_host(), endpoint["pid"], endpoint["started"])
    return None if server.is_dead() else str(endpoint["url"])


def require_broker() -> str:
    """Return the broker's URL once it has answered. Raises ServiceUnreachable, naming what can be done.

    Whoever requires it uses the ledger, too. Raises WrongCall where that is a file that the broker's host has not.
    """
    import redis

    address = broker_address()
    require_database_for_all(address)
    client = None
    try:
        client = redis.Redis.from_url(address, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)
        client.ping()
    except (ValueError, TypeError):  # the latter for a parameter that there is not
        raise WrongCall(_NO_REDIS_URL) from None  # the cause may quote a part of the password
    except redis.RedisError as error:
        raise ServiceUnreachable(
            f"no broker answers at {without_password(address)} ({error}): set FARM_BROKER_URL to a Redis server, "
            "or start the embedded one with `python -m producer broker`"
        ) from error
    finally:
        if client is not None:
            client.close()
    return address


class SameBroker:
    """Watches over the embedded broker of this address: it is started again when it dies, unless its command ended."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._clock = clock
        self._seen_at = clock()

    def require(self) -> None:
        """Raise ServiceUnreachable when it has been gone for GONE_SECONDS; never of a broker that is not embedded."""
        embedded = settings().broker_url is None and self._address != DEFAULT_ADDRESS
        if not embedded or embedded_address() == self._address:
            self._seen_at = self._clock()
        elif self._clock() - self._seen_at > GONE_SECONDS:
            raise ServiceUnreachable(
                "the embedded broker ended with the command that had started it; the same command again goes on"
            )


def _is_redis_url(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("redis", "rediss") and bool(parts.netloc) and _DATABASE.fullmatch(parts.path) is not None


def without_password(address: str) -> str:
    """Return the URL with its user and password left out."""
    scheme, found, rest = _PASSWORD_IN_QUERY.sub("", address).rstrip("?&").partition("://")
    return f"{scheme}{found}{rest.rpartition('@')[2]}"
