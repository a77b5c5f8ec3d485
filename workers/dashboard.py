"""Whether Flower may listen where it is told to: on this machine only, unless it asks who comes.

Its own default is every network interface, without a login; and whoever gets in may stop workers.
"""

from __future__ import annotations

from typing import Any

from db.addresses import is_loopback
from db.errors import WrongCall


def require_login(options: Any) -> None:
    """Return if Flower with these options lets in only who is on this machine or can log in; else WrongCall."""
    if options.unix_socket or options.auth or is_loopback(options.address):
        return
    logins = options.basic_auth or []
    if not logins or not all(map(_is_login, logins)):
        raise WrongCall(
            f"Flower would listen on {options.address or 'every address of this machine'} "
            f"with {'a login that is not USER:PASSWORD' if logins else 'no login'}: set "
            "FLOWER_BASIC_AUTH=USER:PASSWORD in its environment, or let it listen on 127.0.0.1"
        )


def _is_login(login: str) -> bool:
    user, _, password = login.partition(":")
    return bool(user and password)
