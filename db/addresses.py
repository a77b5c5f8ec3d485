"""Whether an address can be reached by this machine alone."""

from __future__ import annotations

import ipaddress
import socket


def is_loopback(host: str) -> bool:
    """Tell whether all that the name stands for is loopback; of an unknown name nothing is, "" is every address."""
    if not host:
        return False
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):  # the latter for what can be no name at all
        return False
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in found)
