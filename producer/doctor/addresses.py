"""Whether an address can be reached by this machine alone."""

from __future__ import annotations

import ipaddress
import socket


def is_loopback(host: str) -> bool:
    """Tell whether all that the name stands for is loopback; of an unknown name nothing is, of "" everything."""
    if host == "localhost":
        return True
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)} if host else {"0.0.0.0"}
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def outward_address() -> str | None:
    """Return the address by which others reach this host, None where it has no network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of the range for documents: there is nobody
        except OSError:
            return None
        return str(probe.getsockname()[0])
