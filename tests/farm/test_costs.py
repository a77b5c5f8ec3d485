"""What a worker's parent and the command line may cost."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.farm.conftest import ROOT, FarmUnderTest, eventually, ready_workers, worker_parents
from workers.lease import LOOK_SECONDS

pytestmark = pytest.mark.integration

HEAVY = ("torch", "diffusers", "transformers")


@pytest.mark.parametrize("command", ["python -m workers", "celery -A workers worker"])
def test_the_parent_of_a_worker_stays_small(farm: FarmUnderTest, command: str) -> None:
    process = farm.farm("--workers", "1") if command == "python -m workers" else farm.worker("edit,score")
    eventually(lambda: ready_workers(farm), farm=farm)
    time.sleep(LOOK_SECONDS + 1)  # the lease keeper has looked by then

    (parent,) = worker_parents(process) if command == "python -m workers" else [psutil.Process(process.pid)]

    assert parent.memory_info().rss < 90e6
    mapped = {Path(region.path).parts for region in parent.memory_maps()}
    assert not [parts for parts in mapped if set(parts) & {*HEAVY, "numpy", "PIL"}]


def test_what_the_parent_imports_leaves_the_heavy_libraries_alone() -> None:
    code = f"import workers.lease, sys; print([name for name in {HEAVY} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_help_imports_neither_celery_nor_the_database() -> None:
    code = (
        "import sys, producer.cli\n"
        "try: producer.cli.cli(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'celery', 'kombu', 'sqlalchemy', 'pydantic', 'PIL', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip().endswith("[]")
