"""What the doctor says of a dashboard: of one that would be started from here, and of a real Flower that runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.addresses import is_loopback
from producer.doctor.addresses import outward_address
from producer.doctor.finding import State
from tests.farm.conftest import ROOT
from tests.farm.servers import free_port
from tests.producer.doctor.conftest import Look, commands_of, states


def test_a_login_makes_flower_safe_on_any_address(look: Look) -> None:
    assert states(look("flower-login")) == [State.NOTE]
    assert states(look("flower-login", FLOWER_ADDRESS="0.0.0.0")) == [State.FAULT]
    assert states(look("flower-login", FLOWER_ADDRESS="")) == [State.FAULT]  # Flower's own word for every address
    assert states(look("flower-login", FLOWER_BASIC_AUTH="me:s3cret")) == [State.OK]


def test_metrics_are_for_loopback(look: Look) -> None:
    assert states(look("metrics", FARM_METRICS_ADDRESS="0.0.0.0")) == [State.OK]  # none are served
    (found,) = look("metrics", FARM_METRICS_PORT="9100")
    assert found.state is State.WARNING
    assert "unset FARM_METRICS_ADDRESS" in commands_of(found)[0]
    assert states(look("metrics", FARM_METRICS_ADDRESS=None)) == [State.OK]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("", False),
        ("a..b", False),
    ],
)
def test_loopback_is_known_by_its_addresses(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@contextmanager
def flower(folder: Path, broker_url: str, *flags: str, **environment: str) -> Iterator[int]:
    """Run the dashboard as the README says, or of another app by `flags`, on a free port; yield the port."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FLOWER_")}
    with (folder / "flower.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "celery", *(flags or ("-A", "workers")), "flower", f"--port={port}"],
            env={**clean, "FARM_BROKER_URL": broker_url, "FARM_HOME": str(folder / "farm"), **environment},
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 40
        while not _answers(port):
            assert server.poll() is None, (folder / "flower.log").read_text()
            assert time.monotonic() < deadline, (folder / "flower.log").read_text()
            time.sleep(0.1)
        yield port
    finally:
        server.kill()
        server.wait(10)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


@pytest.mark.integration
def test_a_flower_without_a_login_is_seen_and_one_with_a_login_is_not(
    look: Look, tmp_path: Path, broker_url: str
) -> None:
    with flower(tmp_path, broker_url) as port:
        (found,) = look("flower", FLOWER_PORT=str(port))
    assert found.state is State.NOTE
    assert "FLOWER_BASIC_AUTH=NAME:PASSWORD" in (found.fix or "")

    with flower(tmp_path, broker_url, FLOWER_BASIC_AUTH="me:s3cret") as port:
        assert states(look("flower", FLOWER_PORT=str(port))) == [State.OK]


@pytest.mark.integration
@pytest.mark.chaos
def test_a_flower_that_the_network_reaches_without_a_login_is_a_fault(
    look: Look, tmp_path: Path, broker_url: str
) -> None:
    if outward_address() is None:
        pytest.skip("this machine has no network")
    with flower(tmp_path, broker_url, "-b", broker_url, FLOWER_ADDRESS="0.0.0.0") as port:  # somebody's own
        assert states(look("flower", FLOWER_PORT=str(port))) == [State.FAULT]
