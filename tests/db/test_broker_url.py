"""What FARM_BROKER_URL may say, and what Celery and our own clients are told of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kombu import Connection

from db.broker_url import BrokerUrl, without_password
from db.errors import WrongCall

SENTINELS = "sentinel://farm:ge%2Fheim%3B@one:26380,two,[::1]:26382/3?master=main&sentinel_password=leise"


def test_a_server_is_read_with_what_may_be_left_out() -> None:
    assert BrokerUrl.read("redis://broker") == BrokerUrl(hosts=(("broker", 6379),), database=0, login={}, tls={})


def test_celery_is_told_the_same_as_was_given() -> None:
    for address in ("redis://:ge%40heim@broker:7000/2", "redis://farm:geheim@[::1]:6379/0", "redis://broker:6379/0"):
        told = BrokerUrl.read(address).for_celery
        assert BrokerUrl.read(told) == BrokerUrl.read(address)
        with Connection(told) as connection:
            assert connection.info()["password"] == (BrokerUrl.read(address).login.get("password"))


def test_tls_that_says_nothing_else_checks_certificate_and_name() -> None:
    assert BrokerUrl.read("rediss://broker/0").tls == {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


def test_tls_takes_files_that_are_there(tmp_path: Path) -> None:
    for name in ("ca", "me", "key"):
        (tmp_path / name).touch()
    files = f"ssl_ca_certs={tmp_path}/ca&ssl_certfile={tmp_path}/me&ssl_keyfile={tmp_path}/key"
    url = BrokerUrl.read(f"rediss://broker/0?{files}&ssl_cert_reqs=CERT_REQUIRED&ssl_check_hostname=false")
    assert url.tls == {
        "ssl_ca_certs": f"{tmp_path}/ca",
        "ssl_certfile": f"{tmp_path}/me",
        "ssl_keyfile": f"{tmp_path}/key",
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": False,
    }
    assert url.for_celery == "rediss://broker:6379/0"  # the rest is broker_use_ssl


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("rediss://broker/0?ssl_ca_certs=/no/such.crt", "ssl_ca_certs is /no/such.crt, and there is no such file"),
        ("rediss://broker/0?ssl_cert_reqs=maybe", "ssl_cert_reqs is required, the default, or none"),
        ("rediss://broker/0?ssl_check_hostname=maybe", "ssl_check_hostname is true, the default, or false"),
        ("rediss://broker/0?ssl_certfile=/a", "ssl_certfile and ssl_keyfile"),
        ("redis://broker/0?ssl_ca_certs=/a", "begin it with rediss://"),
        ("sentinel://broker/0?master=main&ssl_ca_certs=/a", "begin it with sentinels://"),
        ("sentinel://one,two/0", r"add \?master=NAME"),
        ("redis://one,two/0", "is not a Redis URL"),
        ("redis://one/0?master=main", "with sentinels master"),
        ("redis://one?db=3", "the number of the database stands behind the last /"),
        ("redis://me:1?geheim=1@broker/0", "in a password [?] is written as %3F"),
        ("sentinel://one/0?master=main&geheim=1", "does not know there"),
        ("redis://:1#geheim@broker", "is not a Redis URL"),
    ],
)
def test_what_does_not_hold_is_one_line_that_says_what_would(address: str, complaint: str) -> None:
    with pytest.raises(WrongCall, match=f"^FARM_BROKER_URL.*{complaint}") as error:
        BrokerUrl.read(address)
    assert "geheim" not in str(error.value)
    assert "\n" not in str(error.value)


def test_sentinels_are_told_to_celery_each_with_the_servers_login() -> None:
    url = BrokerUrl.read(SENTINELS)
    assert url.for_celery == ";".join(
        f"sentinel://farm:ge%2Fheim%3B@{place}/3" for place in ("one:26380", "two:26379", "[::1]:26382")
    )
    assert url.login == {"username": "farm", "password": "ge/heim;"}
    options = url.options_for_sentinels({"socket_timeout": 5})
    assert options == {
        "master_name": "main",
        "sentinel_kwargs": {"socket_timeout": 5, "password": "leise", "retry": None},
    }
    with Connection(url.for_celery, transport_options=options) as connection:
        assert len(connection.alt) == 3


def test_sentinels_with_tls_have_it_on_either_way() -> None:
    url = BrokerUrl.read("sentinels://one/0?master=main")
    assert url.tls["ssl_cert_reqs"] == "required"
    assert url.options_for_sentinels({})["sentinel_kwargs"]["ssl"] is True


def test_a_record_is_shown_without_its_passwords() -> None:
    assert "heim" not in repr(BrokerUrl.read(SENTINELS))
    assert "leise" not in repr(BrokerUrl.read(SENTINELS))


def test_an_address_of_sentinels_is_shown_without_its_passwords() -> None:
    assert without_password(SENTINELS) == "sentinel://one:26380,two,[::1]:26382/3?master=main"
