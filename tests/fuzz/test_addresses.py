"""Addresses with a password in them, however they are spelt: used, or refused in a line that does not repeat it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.broker_url import BrokerUrl, without_password
from db.engine import address_of, open_as_it_is
from db.errors import WrongCall
from tests.fuzz.mutator import FUZZ_INPUTS

SECRET = "geheim"
ODD = st.sampled_from(
    ["", "@", "/", ":", "#", "?", "%", "%00", "[", "]", " ", "\n", "\x1b[2J", "\u202e", ";", "//", "\\"]
)
SCHEMES = {
    "broker": ["redis", "rediss", "sentinel", "sentinels", "unix", "amqp", ""],
    "database": ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg", "sqlite", "mysql", ""],
}
HOSTS = st.sampled_from(["h", "h:1", "h:port", "h:99999", "[::1]:1", "[::1", "", "h,h2:3", "..", "h:1:1"])
TAILS = st.sampled_from(
    ["", "/0", "/db", "/0?a=b", "/?", "/db?port=x", "/x.db?timeout=x", "/0#x", "/0?master=m", "/%zz"]
)


def addresses(kind: str) -> st.SearchStrategy[str]:
    """Return URLs with the secret in the place of a password, odd characters before and behind it."""
    password = st.tuples(ODD, st.just(SECRET), ODD).map("".join)
    return st.builds(
        lambda scheme, user, password, host, tail: f"{scheme}://{user}:{password}@{host}{tail}",
        *(st.sampled_from(SCHEMES[kind]), st.sampled_from(["", "u", "u%40", "u u"]), password, HOSTS, TAILS),
    )


def told(use: Callable[[str], object], address: str) -> str:
    """Return what a person is told of the address: what becomes of it, or why it is refused, with the causes."""
    try:
        return repr(use(address))
    except WrongCall as refused:
        assert "\n" not in str(refused)
        return f"{refused} {refused.__cause__}"


@settings(max_examples=max(100, FUZZ_INPUTS // 4), deadline=None)
@given(address=addresses("broker"))
def test_a_brokers_password_is_told_to_nobody(address: str) -> None:
    assert SECRET not in told(BrokerUrl.read, address)
    assert SECRET not in without_password(address)


@pytest.mark.parametrize("use", [address_of, open_as_it_is])
@settings(max_examples=max(100, FUZZ_INPUTS // 4), deadline=None)
@example(address="sqlite://u:geheim@h/x.db?timeout=x")
@given(address=addresses("database"))
def test_a_databases_password_is_told_to_nobody(use: Callable[[str], object], address: str) -> None:
    assert SECRET not in told(use, address)
