"""The systemd units: systemd itself takes them, and they hold to what the workers need."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from db.settings import Settings, known_settings
from workers.commands.supervisor import LAST_WORD_SECONDS

FOLDER = Path(__file__).parent.parent / "examples" / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".service", ".target"))


def entries(name: str) -> dict[str, list[str]]:
    """Return what a unit says, by `Section.Name`; a comment that would hide a value is none in systemd."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[f"{section}.{key}"].append(value)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    for unit in UNITS:  # the programs need to be there
        text = (FOLDER / unit).read_text()
        (tmp_path / unit).write_text(
            re.sub(r"/opt/editfarm/venv/bin/\w+|/usr/bin/nvidia-modprobe", sys.executable, text)
        )

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", str(tmp_path / name)],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    complaints = [line for line in done.stderr.splitlines() if "editfarm" in line or str(tmp_path) in line]
    assert (complaints, done.returncode) == ([], 0), done.stderr


def test_a_worker_is_told_once_and_has_time_to_finish_its_job() -> None:
    worker = entries("editfarm-worker@.service")

    assert (worker["Service.KillMode"], worker["Service.KillSignal"]) == (["mixed"], ["SIGTERM"])
    (seconds,) = map(int, worker["Service.TimeoutStopSec"])
    assert seconds > Settings().grace_seconds + LAST_WORD_SECONDS
    (env_grace,) = re.findall(r"^FARM_GRACE_SECONDS=(\d+)$", (FOLDER / "editfarm.env").read_text(), re.MULTILINE)
    assert seconds > int(env_grace) + LAST_WORD_SECONDS
    assert worker["Service.OOMPolicy"] == ["continue"]


def test_no_rule_takes_the_gpu_from_a_worker() -> None:
    worker = entries("editfarm-worker@.service")

    for name in ("PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock", "MemoryDenyWriteExecute"):
        assert f"Service.{name}" not in worker


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_a_service_is_no_root_and_writes_into_its_own_folder_only(name: str) -> None:
    unit = entries(name)

    assert unit["Service.User"] == ["editfarm"]
    for rule, value in {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "UMask": "0077",
    }.items():
        assert unit[f"Service.{rule}"] == [value]
    assert unit["Service.StateDirectory"] == ["editfarm"]
    assert not any("PASSWORD" in value or "BASIC_AUTH" in value for values in unit.values() for value in values)


def test_the_environment_names_settings_that_exist() -> None:
    named = re.findall(r"^FARM_(\w+)=", (FOLDER / "editfarm.env").read_text(), re.MULTILINE)

    assert {name.lower() for name in named} <= known_settings().keys()
