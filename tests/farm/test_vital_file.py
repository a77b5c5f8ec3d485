"""The file that health checks look at: young while its worker is well, with a real worker and the check itself."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml
from sqlalchemy import select
from structlog.testing import capture_logs

from db.engine import reading
from db.tables import workers
from tests.farm.conftest import ROOT, FarmUnderTest, eventually
from tests.farm.steps import planted
from workers.commands.compose import compose_override
from workers.parent import vital_file
from workers.parent.vital_file import VitalFile

SOON_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vital_file, "TOUCH_SECONDS", 0.02)


def is_touched(file: Path, *, within: float) -> bool:
    """Tell whether somebody touches the file from now on; made old first, so that a clock's steps do not matter."""
    if file.exists():
        vital_age(file, seconds=100)
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if file.exists() and time.time() - file.stat().st_mtime < 50:
            return True
        time.sleep(0.02)
    return False


def vital_age(file: Path, *, seconds: float) -> None:
    """Make the file so old."""
    subprocess.run(["touch", "--date", f"{seconds} seconds ago", file], check=True)


def test_it_is_touched_while_all_is_well_and_no_longer(tmp_path: Path) -> None:
    file, well = tmp_path / "vital", [True]
    vital = VitalFile(file, lambda: well[0])
    vital.start()
    assert is_touched(file, within=SOON_SECONDS)

    well[0] = False
    time.sleep(0.1)  # a touch that had begun
    assert not is_touched(file, within=0.3)

    well[0] = True
    assert is_touched(file, within=SOON_SECONDS)
    vital.stop()
    assert not file.exists()


def test_a_folder_that_is_not_there_is_said_once_and_awaited(tmp_path: Path) -> None:
    file = tmp_path / "later" / "vital"
    with capture_logs() as events:
        vital = VitalFile(file, lambda: True)
        vital.start()
        time.sleep(0.2)
        file.parent.mkdir()
        assert is_touched(file, within=SOON_SECONDS)
        vital.stop()

    assert [event["event"] for event in events] == ["worker.no_heartbeat"]


def test_a_file_that_cannot_be_one_does_not_keep_a_worker_from_its_end(tmp_path: Path) -> None:
    for place in (tmp_path, Path("/dev/null/vital")):
        vital = VitalFile(place, lambda: True)
        vital.start()
        vital.stop()


def test_without_a_file_nothing_is_done() -> None:
    vital = VitalFile(None, lambda: True)
    vital.start()
    vital.stop()


def health_check(file: Path) -> int:
    """Run the image's own health check, on this file; return its exit code."""
    text = (ROOT / "docker" / "Dockerfile").read_text()
    (written,) = re.findall(r"^HEALTHCHECK .*\\\n\s*CMD (.*)$", text, re.MULTILINE)
    assert written.count("/tmp/heartbeat") == 1
    command = json.loads(written.replace("/tmp/heartbeat", str(file)))
    return subprocess.run(command, timeout=10).returncode


@pytest.mark.integration
def test_the_health_check_follows_a_workers_life(farm: FarmUnderTest) -> None:
    file = farm.folder / "vital"
    assert health_check(file) == 1
    often = planted(
        farm.folder, "from workers.parent import vital_file\nvital_file.TOUCH_SECONDS = 0.1", in_child=False
    )
    often["PYTHONPATH"] += f":{ROOT}"
    worker = farm.worker("edit,score", FARM_HEARTBEAT_FILE=str(file), **often)
    eventually(file.exists, farm=farm)
    assert is_touched(file, within=SOON_SECONDS)
    assert health_check(file) == 0

    worker.send_signal(signal.SIGSTOP)
    eventually(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED, farm=farm)
    assert not is_touched(file, within=1)
    vital_age(file, seconds=29)
    assert health_check(file) == 0
    vital_age(file, seconds=31)
    assert health_check(file) == 1

    worker.send_signal(signal.SIGCONT)
    assert is_touched(file, within=SOON_SECONDS)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert not file.exists()


@pytest.mark.integration
def test_a_worker_in_a_container_is_known_by_the_gpu_of_the_host(farm: FarmUnderTest) -> None:
    """Started as `python -m workers compose` has it started: GPU 3 of the host is number 0 in the container."""
    command = yaml.safe_load(compose_override("3"))["services"]["worker-gpu3"]["command"]
    assert command[:4] == ["celery", "-A", "workers", "worker"]
    farm.start("-m", *command, CUDA_VISIBLE_DEVICES="0")

    def known() -> list[tuple[str, str]]:
        engine = farm.engine()
        with reading(engine) as connection:
            found = [(row.name, row.gpu) for row in connection.execute(select(workers))]
        engine.dispose()
        return found

    assert eventually(known, farm=farm) == [(f"edit+score-gpu3@{socket.gethostname()}", "3")]
