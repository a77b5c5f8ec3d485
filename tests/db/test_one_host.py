"""SQLite and a broker on another host: refused, whichever side asks; whatever is this host itself is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import db.one_host
from db.errors import WrongCall
from db.one_host import is_elsewhere, require_database_for_all
from db.settings import settings

ROOT = Path(__file__).parents[2]
FAR = "192.0.2.1"
"""An address that documents use: no host has it."""

SENTENCE = (
    f"the ledger is a SQLite file, which serves one host only, and the broker is on another one ({FAR}): "
    "set FARM_DATABASE_URL=postgresql://USER:PASSWORD@HOST/NAME to a database that every host reaches"
)


def own_addresses() -> list[str]:
    """Return every IP address of this host."""
    families = (socket.AF_INET, socket.AF_INET6)
    return [one.address for of in psutil.net_if_addrs().values() for one in of if one.family in families]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "127.9.9.9", "0.0.0.0", socket.gethostname()])
def test_what_names_this_host_is_here(name: str) -> None:
    assert not is_elsewhere(name)


def test_every_address_of_this_host_is_here() -> None:
    assert own_addresses()
    assert not [address for address in own_addresses() if is_elsewhere(address)]


@pytest.mark.parametrize("address", [FAR, "2001:db8::1"])
def test_an_address_of_none_of_our_interfaces_is_elsewhere(address: str) -> None:
    assert is_elsewhere(address)


def test_a_name_is_where_its_addresses_are(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"redis": FAR, "host.docker.internal": "192.0.2.254", "other-name-of-mine": "127.0.1.1"}
    resolve = socket.getaddrinfo

    def from_a_hosts_file(host: str, *arguments: object, flags: int = 0, **others: object) -> object:
        return resolve(host if flags else names[host], *arguments, flags=flags, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", from_a_hosts_file)
    assert is_elsewhere("redis")
    assert is_elsewhere("host.docker.internal")
    assert not is_elsewhere("other-name-of-mine")


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "x" * 70])
def test_a_name_that_does_not_resolve_is_left_to_whoever_connects(name: str) -> None:
    assert not is_elsewhere(name)


def test_a_name_server_that_is_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, flags: int = 0, **__: object) -> object:
        if flags:
            raise socket.gaierror
        time.sleep(2)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    monkeypatch.setattr(db.one_host, "RESOLVE_SECONDS", 0.05)
    started = time.monotonic()
    assert not is_elsewhere("broker")
    assert time.monotonic() - started < 1


def test_sqlite_and_a_far_broker_are_refused_and_the_line_says_what_to_set() -> None:
    with pytest.raises(WrongCall) as refused:
        require_database_for_all(f"redis://user:geheim@{FAR}:6379/0")
    assert str(refused.value) == SENTENCE


def test_one_sentinel_elsewhere_is_enough() -> None:
    with pytest.raises(WrongCall):
        require_database_for_all(f"sentinel://127.0.0.1:26379,{FAR}:26379/0?master=main")


def test_postgresql_serves_every_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_DATABASE_URL", "postgresql://user@database/farm")
    settings.cache_clear()
    require_database_for_all(f"redis://{FAR}/0")


@pytest.mark.integration
def test_a_worker_ends_with_that_line_and_exit_code_2_however_it_is_started(tmp_path: Path) -> None:
    commands = ["celery -A workers worker -Q edit", "workers.worker w0 edit,score", "workers --workers 1"]
    started = {command: start(command, tmp_path) for command in commands}
    for command, process in started.items():
        output, complaint = process.communicate(timeout=60)
        assert (process.returncode, output, complaint) == (2, "", f"error: {SENTENCE}\n"), command
    assert not (tmp_path / "farm.db").exists()


@pytest.mark.integration
def test_what_asks_workers_how_they_are_needs_no_ledger(tmp_path: Path) -> None:
    inspect = start("celery -A workers report", tmp_path)
    output, complaint = inspect.communicate(timeout=60)
    assert inspect.returncode == 0, complaint
    assert "celery" in output


def start(command: str, folder: Path) -> subprocess.Popen[str]:
    """Start a module with the ledger in a SQLite file and the broker elsewhere."""
    return subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        env={**os.environ, "FARM_HOME": str(folder), "FARM_BROKER_URL": f"redis://:geheim@{FAR}:6379/0"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
