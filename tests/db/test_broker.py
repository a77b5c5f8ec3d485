"""Where the broker is: what is given, else the one that runs here, else Redis on this host."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from db.broker import (
    DEFAULT_ADDRESS,
    GONE_SECONDS,
    SameBroker,
    broker_address,
    embedded_address,
    endpoint_file,
    require_broker,
)
from db.broker_url import without_password
from db.errors import ServiceUnreachable, WrongCall
from db.owner import Process, process_of
from db.settings import settings

EMBEDDED = "redis://:geheim@127.0.0.1:7777/0"


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FARM_HOME", str(tmp_path / "farm"))


@pytest.fixture
def free_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def leave_endpoint(server: Process) -> None:
    """Write what an embedded broker of this process leaves behind."""
    endpoint_file().parent.mkdir(parents=True)
    endpoint_file().write_text(json.dumps({"url": EMBEDDED, "pid": server.pid, "started": server.started}))


def test_without_anything_it_is_redis_on_this_host() -> None:
    assert embedded_address() is None
    assert broker_address() == DEFAULT_ADDRESS == "redis://127.0.0.1:6379/0"


def test_an_embedded_broker_that_runs_is_used() -> None:
    leave_endpoint(process_of(os.getpid()))
    assert broker_address() == EMBEDDED


def test_a_url_that_is_given_goes_before_the_embedded_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_BROKER_URL", "redis://:pass@broker:6379/1")
    leave_endpoint(process_of(os.getpid()))
    assert broker_address() == "redis://:pass@broker:6379/1"


def test_what_a_dead_embedded_broker_left_behind_is_ignored() -> None:
    child = subprocess.Popen(["sleep", "60"])
    leave_endpoint(process_of(child.pid))
    child.kill()
    child.wait()
    assert broker_address() == DEFAULT_ADDRESS


@pytest.mark.parametrize("content", ["", '{"url": "redis'])
def test_an_endpoint_that_is_just_being_written_is_no_broker_yet(content: str) -> None:
    endpoint_file().parent.mkdir(parents=True)
    endpoint_file().write_text(content)
    assert broker_address() == DEFAULT_ADDRESS


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:geheim@127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://user:geheim@broker/1", "rediss://broker/1"),
        ("redis://:ge@heim@broker/1", "redis://broker/1"),
        ("redis://:geheim@broker/1?socket_timeout=3", "redis://broker/1?socket_timeout=3"),
        ("redis://broker/1?password=geheim", "redis://broker/1"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_a_broker_that_answers_is_named_with_its_password_for_connecting(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_BROKER_URL", broker_url)
    assert require_broker() == broker_url


def test_a_broker_that_does_not_answer_is_one_line_that_names_both_ways(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_BROKER_URL", f"redis://:geheim@127.0.0.1:{free_port}/0")
    with pytest.raises(ServiceUnreachable) as error:
        require_broker()
    message = str(error.value)
    assert message.startswith(f"no broker answers at redis://127.0.0.1:{free_port}/0 (")
    assert "FARM_BROKER_URL" in message
    assert "python -m producer broker" in message
    assert "geheim" not in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "address",
    [
        "redis://:geheim@127.0.0.1:port/0",
        "redis://:geh/eim@127.0.0.1/0",
        "redis://:1/geheim@127.0.0.1/0",  # where 1 would be the port
        "redis://:geh#eim@127.0.0.1/0",
        "redis://:geh?eim@127.0.0.1/0",
        "redis://:geheim@[::1/0",
        "redis://127.0.0.1/geheim",
        "redis://127.0.0.1/0?geheim=1",
        "redis:/geheim@127.0.0.1",
        "amqp://farm:geheim@127.0.0.1/",
        "http://:geheim@127.0.0.1/",
        "nonsense",
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_without_its_password(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_BROKER_URL", address)
    with pytest.raises(WrongCall, match=r"^FARM_BROKER_URL (is not a Redis URL|has behind its \?)") as error:
        require_broker()
    assert "geh" not in f"{error.value} {error.value.__cause__}"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("address", ["redis://:geh/eim@127.0.0.1/0", "redis:/geheim@127.0.0.1"])
def test_an_address_that_is_none_is_given_to_nobody(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery would take its password for a host, and say so in every line."""
    monkeypatch.setenv("FARM_BROKER_URL", address)
    with pytest.raises(WrongCall, match=r"^FARM_BROKER_URL is not a Redis URL"):
        broker_address()


def test_a_server_that_is_no_redis_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("FARM_BROKER_URL", f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        monkeypatch.setattr("db.broker._ANSWER_SECONDS", 0.05)  # it takes the call and never says a word
        with pytest.raises(ServiceUnreachable, match=r"^no broker answers at "):
            require_broker()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_embedded_broker_that_has_ended_says_how_to_go_on() -> None:
    clock = Clock()
    same = SameBroker(EMBEDDED, clock=clock)
    clock.now += GONE_SECONDS + 1
    with pytest.raises(ServiceUnreachable, match="the same command again goes on"):
        same.require()


def test_an_embedded_broker_that_is_started_again_in_time_has_not_ended() -> None:
    clock = Clock()
    same = SameBroker(EMBEDDED, clock=clock)
    clock.now += GONE_SECONDS
    same.require()
    leave_endpoint(process_of(os.getpid()))
    clock.now += 1
    same.require()
    endpoint_file().unlink()
    clock.now += GONE_SECONDS
    same.require()


def test_a_broker_of_the_users_own_is_never_said_to_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    default, own = SameBroker(DEFAULT_ADDRESS, clock=clock), SameBroker("redis://broker:6379/1", clock=clock)
    clock.now += GONE_SECONDS + 1
    default.require()
    monkeypatch.setenv("FARM_BROKER_URL", "redis://broker:6379/1")
    settings.cache_clear()
    own.require()
