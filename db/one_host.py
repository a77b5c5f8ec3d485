"""SQLite serves one host: where the broker is on another, whatever would use both is refused, and told what to set."""

from __future__ import annotations

import socket
import threading

from db.broker_url import BrokerUrl
from db.errors import WrongCall
from db.settings import settings

RESOLVE_SECONDS = 3.0
"""So long a name may take to resolve; one that takes longer is left to whoever connects to it."""


def require_database_for_all(broker: str) -> None:
    """Raise WrongCall where the ledger is a SQLite file and this broker, by its URL, is not on this host.

    Workers that hear of jobs from another host would look for them in a file of their own. A name that does not resolve
    is let pass: no broker will answer there, and that is what a person needs to hear. What stands at the other end of a
    tunnel cannot be seen from here.
    """
    if not settings().database.startswith("sqlite"):
        return
    for host, _ in BrokerUrl.read(broker).hosts:
        if is_elsewhere(host):
            raise WrongCall(
                f"the ledger is a SQLite file, which serves one host only, and the broker is on another one ({host}): "
                "set FARM_DATABASE_URL=postgresql://USER:PASSWORD@HOST/NAME to a database that every host reaches"
            )


def is_elsewhere(host: str) -> bool:
    """Tell whether this name or address is known to be another host's: none of its addresses can be had here."""
    if host.lower() in ("localhost", socket.gethostname().lower()):
        return False
    addresses = _addresses(host)
    return bool(addresses) and not any(_is_ours(*one) for one in addresses)


Address = tuple[socket.AddressFamily, tuple[str | int, ...] | tuple[int, bytes]]
"""A family, and an address of it as sockets take them."""


def _addresses(host: str) -> list[Address]:
    """Return what the name resolves to; nothing where it does not, or not in time."""
    if literal := _resolved(host, socket.AI_NUMERICHOST):
        return literal
    found: list[Address] = []
    resolving = threading.Thread(target=lambda: found.extend(_resolved(host)), daemon=True)
    resolving.start()
    resolving.join(RESOLVE_SECONDS)
    return list(found)


def _resolved(host: str, flags: int = 0) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM, flags=flags)
    except (OSError, UnicodeError):  # the latter for what can be no name at all
        return []
    return [(family, address) for family, _, _, _, address in found]


def _is_ours(family: socket.AddressFamily, address: tuple[str | int, ...] | tuple[int, bytes]) -> bool:
    """Tell whether a socket of this host may have the address."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
