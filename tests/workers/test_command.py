"""`python -m workers` refuses what it cannot do, in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.gpus import gpu_of, visible_gpus
from tests.farm.conftest import ROOT
from workers.__main__ import _environments
from workers.app import worker_name


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--workers N"),
        (["--gpus", "0,0"], "expected different GPUs"),
        (["--gpus", "0,"], "expected different GPUs"),
        (["--gpus", "0", "--workers", "2"], "exclude each other"),
        (["--workers", "0"], "not in the range"),
        (["--gpus", "0,1,2", "--gpus-per-worker", "2"], "3 GPUs do not make whole groups"),
        (["--workers", "1", "--queues", "edits"], "there is no queue 'edits'"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_what_to_do(tmp_path: Path, flags: list[str], said: str) -> None:
    environment = {**os.environ, "FARM_HOME": str(tmp_path), "PATH": "/nonexistent", "COLUMNS": "200"}
    environment.pop("CUDA_VISIBLE_DEVICES", None)

    done = subprocess.run(
        [sys.executable, "-m", "workers", *flags], env=environment, cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_broker_it_says_both_ways_to_one(tmp_path: Path) -> None:
    environment = {**os.environ, "FARM_HOME": str(tmp_path), "FARM_BROKER_URL": "redis://:hidden@127.0.0.1:1/0"}

    done = subprocess.run(
        [sys.executable, "-m", "workers", "--workers", "1"], env=environment, cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 3
    assert "FARM_BROKER_URL" in done.stderr and "python -m producer broker" in done.stderr
    assert "hidden" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_large_models_get_groups_of_gpus() -> None:
    environments = _environments("0,1,2,3", 2, None)

    pinned = {name: environment["CUDA_VISIBLE_DEVICES"] for name, environment in environments.items()}
    assert pinned == {"gpu0+1": "0,1", "gpu2+3": "2,3"}


def test_workers_on_cpus_share_the_cores_and_see_no_gpu() -> None:
    environments = _environments(None, 1, 2)

    cores = max(1, (os.cpu_count() or 1) // 2)
    assert environments == {
        f"cpu{number}": {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": str(cores)} for number in (0, 1)
    }


@pytest.mark.parametrize(("pinned", "gpus"), [("3,5", ["3", "5"]), ("", []), ("-1", []), ("GPU-ab12", ["GPU-ab12"])])
def test_the_visible_gpus_are_those_that_cuda_may_see(
    monkeypatch: pytest.MonkeyPatch, pinned: str, gpus: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", pinned)

    assert visible_gpus() == gpus


def test_the_driver_is_asked_where_nothing_is_pinned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    assert visible_gpus() == ["0", "1"]


def test_a_worker_is_named_by_its_queues_and_its_gpu_or_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert worker_name("edit,score") == "edit+score-gpu0+1"
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert worker_name(["edit"]) == f"edit-{os.getpid()}"


def test_a_workers_gpu_is_the_one_in_its_name_for_in_a_container_every_gpu_is_number_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")

    assert gpu_of("edit-gpu3@host") == "3"
    assert gpu_of("edit+score-gpu2+3@host") == "2,3"
    assert gpu_of("edit-gpuGPU-1a2b3c4d@host") == "GPU-1a2b3c4d"
    assert gpu_of("edit-12345@host") == "0"


@pytest.mark.parametrize("name", ["edit-gpu-box1@host", "edit-gpus@host", "edit-1@node-gpu7", "edit-gpu2b@host"])
def test_a_name_that_a_person_chose_is_no_gpu(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpu_of(name) == "0"
