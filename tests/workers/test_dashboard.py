"""Flower listens for this machine, or asks who comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from db.errors import WrongCall
from tests.farm.conftest import ROOT
from workers.dashboard import require_login


def flower(**options: Any) -> SimpleNamespace:
    """Options as Flower has them when it has read all."""
    return SimpleNamespace(**{"address": "", "unix_socket": "", "auth": "", "basic_auth": None, **options})


@pytest.mark.parametrize(
    "options",
    [
        {"address": "127.0.0.1"},
        {"address": "::1"},
        {"address": "127.8.0.1"},
        {"address": "localhost"},
        {"unix_socket": "/run/flower.sock"},
        {"address": "0.0.0.0", "basic_auth": ["me:secret"]},
        {"address": "0.0.0.0", "auth": ".*@lab.example", "auth_provider": "flower.views.auth.GitHubLoginHandler"},
    ],
)
def test_it_may_listen_where_nobody_comes_in_unasked(options: dict[str, Any]) -> None:
    require_login(flower(**options))


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::", "10.1.2.3", "no.such.host.invalid"])
@pytest.mark.parametrize("logins", [None, [], [""], ["me"], ["me:"], [":secret"], ["me:secret", "you:"]])
def test_it_may_not_let_everybody_in(address: str, logins: list[str] | None) -> None:
    with pytest.raises(WrongCall, match="FLOWER_BASIC_AUTH=USER:PASSWORD") as error:
        require_login(flower(address=address, basic_auth=logins))
    assert "secret" not in str(error.value)


def run_flower(folder: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command until it ends by itself, or has listened for a while: then it is killed, with exit code -9."""
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "workers", "flower", "--port=0", *flags],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FARM_BROKER_URL": "redis://127.0.0.1:1/0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    listens = process.stderr is not None and any("Visit me at" in line for line in process.stderr)
    if listens:
        process.kill()
    output, _ = process.communicate(timeout=20)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


@pytest.mark.integration
def test_the_command_ends_before_it_opens_wherever_the_address_was_said(tmp_path: Path) -> None:
    (tmp_path / "flowerconfig.py").write_text("address = '0.0.0.0'\n")
    assert run_flower(tmp_path).returncode == 2


@pytest.mark.integration
@pytest.mark.chaos
def test_the_command_listens_where_the_login_is_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "flowerconfig.py").write_text("basic_auth = ['me:secret']\n")
    assert run_flower(tmp_path, FLOWER_ADDRESS="0.0.0.0").returncode == -9


@pytest.mark.integration
@pytest.mark.chaos
@pytest.mark.parametrize(
    ("flags", "environment"),
    [(["--address=0.0.0.0"], {}), ([], {"FLOWER_ADDRESS": "0.0.0.0"}), ([], {"FLOWER_ADDRESS": ""})],
)
def test_the_command_ends_for_its_flag_and_for_its_variable(
    tmp_path: Path, flags: list[str], environment: dict[str, str]
) -> None:
    assert run_flower(tmp_path, *flags, **environment).returncode == 2
