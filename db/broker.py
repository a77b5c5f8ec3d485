"""Where the broker is: FARM_BROKER_URL, else the embedded one of FARM_HOME when it runs, else Redis on this host."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from db.broker_url import BrokerUrl, without_password
from db.errors import ServiceUnreachable, first_line
from db.one_host import require_database_for_all
from db.owner import Process, this_host
from db.settings import settings

DEFAULT_ADDRESS = "redis://127.0.0.1:6379/0"
GONE_SECONDS = 15.0
"""So long the embedded broker may be gone before it counts as ended."""

TO_BE_THERE = "set FARM_BROKER_URL to a Redis server, or start the embedded one with `python -m producer broker`"
TO_BE_TRUSTED = (
    "its certificate is from no authority that this host trusts, or for another name; end FARM_BROKER_URL with "
    "?ssl_ca_certs=FILE, where FILE is the certificate of the authority that signed the server's"
)
TO_BE_TOLD = "FARM_BROKER_URL names sentinels: one of them must be up and know a server of that name that is up"
TO_SPEAK_TLS = (
    "see that FARM_BROKER_URL names a Redis server with TLS; one without has redis://, one that wants to know its "
    "clients has ssl_certfile=FILE&ssl_keyfile=FILE behind the ?"
)

_ANSWER_SECONDS = 3


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
    BrokerUrl.read(address)
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
    url = BrokerUrl.read(address)
    try:
        with url.client(_ANSWER_SECONDS) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:  # the latter for a file of certificates that holds none
        said = told_by(error)
        raise ServiceUnreachable(
            f"no broker answers at {without_password(address)} ({said}): {what_to_do(url, said)}"
        ) from error
    return address


def told_by(error: BaseException) -> str:
    """Return what an error of the broker says in one line; every parameter of every sentinel is left out of it."""
    return first_line(error).partition(" : <")[0]


def what_to_do(url: BrokerUrl, said: str) -> str:
    """Return what helps where no broker answered at that address, and this was said: one of the sentences above."""
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return TO_BE_TRUSTED
    if url.master:
        return TO_BE_TOLD
    return TO_SPEAK_TLS if url.tls else TO_BE_THERE


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
