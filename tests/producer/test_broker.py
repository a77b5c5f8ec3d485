"""The embedded broker: a real server, private to its user, that neither outlives its owner nor forgets."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from db.broker import broker_address, broker_folder, embedded_address, endpoint_file
from db.errors import WrongCall
from db.settings import settings
from producer.broker import embedded_broker

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FARM_HOME with a space and Chinese in its path; no other broker is named."""
    home = tmp_path / "my 农场"
    monkeypatch.setenv("FARM_HOME", str(home))
    monkeypatch.chdir(tmp_path)  # away from any .env
    settings.cache_clear()
    return home


@contextlib.contextmanager
def client_of(address: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(address, socket_timeout=5) as client:
        yield client


def server_process() -> psutil.Process:
    return psutil.Process(json.loads(endpoint_file().read_text())["pid"])


def holds_within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def listens(address: str) -> bool:
    """Tell whether the port is still held; a killed process holds it until the last of its threads has ended."""
    try:
        socket.create_connection(("127.0.0.1", int(re.findall(r":(\d+)/", address)[0])), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_it_answers_and_everyone_of_this_farm_finds_it() -> None:
    with embedded_broker() as address, client_of(address) as client:
        assert client.ping()
        assert broker_address() == embedded_address() == address


def test_it_answers_nobody_without_the_password() -> None:
    with embedded_broker() as address:
        port = address.rpartition(":")[2]
        with client_of(f"redis://127.0.0.1:{port}") as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with client_of(f"redis://:wrong@127.0.0.1:{port}") as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_it_listens_on_loopback_only() -> None:
    with embedded_broker():
        listening = [
            connection.laddr.ip
            for connection in server_process().net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]

    assert listening == ["127.0.0.1"]


def test_files_with_the_password_are_for_this_user_only(home: Path) -> None:
    before = os.umask(0)
    try:
        with embedded_broker() as address:
            password = address.split(":")[2].split("@")[0].encode()
            holders = [path for path in broker_folder().rglob("*") if path.is_file() and password in path.read_bytes()]
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in holders}
            folders = [stat.S_IMODE(folder.stat().st_mode) for folder in (home, broker_folder())]
    finally:
        os.umask(before)

    assert modes == {"valkey.conf": 0o600, "credentials.json": 0o600, "endpoint.json": 0o600}
    assert folders == [0o700, 0o700]


def test_files_left_readable_by_others_become_private_again() -> None:
    with embedded_broker():
        pass
    for name in ("valkey.conf", "endpoint.json"):
        (broker_folder() / name).touch()
        (broker_folder() / name).chmod(0o644)

    with embedded_broker():
        modes = [stat.S_IMODE((broker_folder() / name).stat().st_mode) for name in ("valkey.conf", "endpoint.json")]

    assert modes == [0o600, 0o600]


def test_no_temporary_files_are_left() -> None:
    with embedded_broker():
        names = {path.name for path in broker_folder().iterdir()}

    assert names <= {
        "lock",
        "credentials.json",
        "endpoint.json",
        "valkey.conf",
        "broker.log",
        "appendonlydir",
        "dump.rdb",
    }


def test_the_password_is_not_on_a_command_line() -> None:
    with embedded_broker() as address:
        password = address.split(":")[2].split("@")[0].encode()
        command_line = Path(f"/proc/{server_process().pid}/cmdline").read_bytes()

    assert b"valkey" in command_line
    assert password not in command_line


def test_after_a_restart_it_has_the_same_address_and_its_data() -> None:
    with embedded_broker() as first, client_of(first) as client:
        client.rpush("edit", "a", "b")

    with embedded_broker() as second, client_of(second) as client:
        kept = client.lrange("edit", 0, -1)

    assert second == first
    assert kept == [b"a", b"b"]


def test_where_its_port_was_taken_meanwhile_it_takes_another() -> None:
    with embedded_broker() as first:
        port = int(first.rpartition(":")[2].removesuffix("/0"))

    with (
        socket.create_server(("127.0.0.1", port)),
        embedded_broker() as second,
        client_of(second) as client,
    ):
        assert client.ping()

    assert second != first


def test_a_second_one_in_the_same_home_is_refused() -> None:
    with embedded_broker() as address, client_of(address) as client:
        with pytest.raises(WrongCall, match="running already"), embedded_broker():
            pass

        assert client.ping()
        assert embedded_address() == address


def test_two_homes_have_each_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded_broker() as one:
        monkeypatch.setenv("FARM_HOME", str(tmp_path / "other"))
        settings.cache_clear()
        with embedded_broker() as other:
            assert one != other


def test_it_is_refused_where_nobody_would_use_it(monkeypatch: pytest.MonkeyPatch, broker_url: str) -> None:
    monkeypatch.setenv("FARM_BROKER_URL", broker_url)
    settings.cache_clear()

    with pytest.raises(WrongCall, match="FARM_BROKER_URL"), embedded_broker():
        pass


def test_it_is_gone_after_the_block_however_that_ends() -> None:
    with pytest.raises(ZeroDivisionError), embedded_broker():
        server = server_process()
        raise ZeroDivisionError

    assert is_gone(server)
    assert embedded_address() is None
    assert not endpoint_file().exists()


def test_a_broker_that_died_is_not_taken_for_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.broker.LOOK_SECONDS", 60)
    with embedded_broker():
        server = server_process()
        server.kill()

        assert holds_within(5, lambda: is_gone(server))
        assert embedded_address() is None


def test_a_broker_that_died_is_started_again_at_its_address_with_its_data() -> None:
    with embedded_broker() as address:
        with client_of(address) as client:
            client.rpush("edit", "a", "b")
        for _ in range(2):
            server = server_process()
            server.kill()
            assert holds_within(10, lambda old=server: is_gone(old) and embedded_address() == address)  # type: ignore[misc]
            with client_of(address) as client:
                assert client.lrange("edit", 0, -1) == [b"a", b"b"]
    assert embedded_address() is None


@contextlib.contextmanager
def broker_command(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m producer broker` until the end of the block."""
    environment = {**os.environ, "FARM_HOME": str(home)}
    command = subprocess.Popen(
        [sys.executable, "-m", "producer", "broker"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield command
    finally:
        command.kill()
        command.communicate()


def test_the_command_says_where_it_is_without_the_password_and_ends_on_ctrl_c(home: Path) -> None:
    with broker_command(home) as command:
        assert command.stderr is not None
        said = command.stderr.readline()
        address = embedded_address()
        server = server_process()
        command.send_signal(signal.SIGINT)

        assert command.wait(15) == 130

    assert address is not None
    password, place = address.removeprefix("redis://:").split("@")
    assert said == f"broker at redis://{place}; Ctrl-C ends it\n"
    assert password not in said
    assert is_gone(server)


def test_the_server_dies_with_a_command_that_was_killed_and_a_new_one_takes_over(home: Path) -> None:
    with broker_command(home) as command:
        assert command.stderr is not None
        command.stderr.readline()
        first = broker_address()
        with client_of(first) as client:
            client.rpush("edit", "a")
        server = server_process()
        command.kill()
        command.wait(5)

        died = holds_within(2, lambda: is_gone(server) and not listens(first))
        if not died:
            server.kill()
        assert died
        assert embedded_address() is None

    with embedded_broker() as second, client_of(second) as client:
        assert second == first
        assert client.lrange("edit", 0, -1) == [b"a"]
