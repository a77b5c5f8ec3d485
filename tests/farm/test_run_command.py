"""`python -m producer run`: from nothing to a report in one command, and nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import psutil
import pytest

from db.errors import WrongCall
from db.ledger import Ledger
from db.owner import Process, this_process
from db.presence import enter_worker, present_workers
from db.queries import all_runs
from producer.farm import require_own_place
from tests.factories import original_file, pair
from tests.farm.conftest import ROOT, FarmAt, FarmUnderTest, eventually
from tests.farm.steps import SIMULATED, attempts, done

pytestmark = pytest.mark.integration

SAMPLE = ROOT / "examples" / "benchmark.json"
ON_TWO_CPUS = ("--workers", "2")


def processes_of(farm: FarmUnderTest) -> list[str]:
    """Return the command lines of all living processes that work in this FARM_HOME."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("FARM_HOME") == str(farm.home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_the_sample_benchmark_gives_a_report_that_shows_its_one_failure(bare_farm: FarmUnderTest) -> None:
    output = bare_farm.producer("run", SAMPLE, "--json", code=1)

    report = json.loads(output)
    score = report["scorers"][0]["dimensions"][0]
    overall = score["overall"]
    assert (overall["n"], overall["scored"], overall["failed"]["edit_failed"]) == (20, 19, 1)
    assert [group["alias"] for group in score["categories"]] == [
        "physical",
        "environment",
        "social",
        "causal",
        "reference",
    ]
    assert [(failure["stage"], failure["kind"]) for failure in report["failures"]] == [("edit", "input")]
    assert processes_of(bare_farm) == []


@pytest.mark.parametrize(
    "external",
    [
        pytest.param(False, id="embedded broker"),
        pytest.param(True, id="external server", marks=pytest.mark.chaos),
    ],
)
def test_every_sample_gives_an_edit_and_a_score_on_each_database_and_each_broker(
    farm_at: FarmAt, database_url: str, broker_url: str, external: bool
) -> None:
    farm = farm_at(broker_url if external else None, database_url)

    report = json.loads(farm.producer("run", SAMPLE, "--limit", 7, *SIMULATED, *ON_TWO_CPUS, "--json"))

    assert report["progress"]["edits"]["done"] == report["progress"]["scores"]["done"] == 7
    counts = {group["category"]: group["scored"] for group in report["scorers"][0]["dimensions"][0]["categories"]}
    assert counts == {"物理": 4, "环境": 3}
    assert processes_of(farm) == []


def test_interrupted_it_leaves_nothing_running_and_the_same_command_goes_on(bare_farm: FarmUnderTest) -> None:
    file = original_file(bare_farm.folder, pairs=20)
    command = ["run", str(file), *SIMULATED, *ON_TWO_CPUS, "--set", "editor.seconds=0.5"]
    process = bare_farm.start("-m", "producer", *command, log="producer")
    eventually(lambda: _edits_done(bare_farm) >= 2, farm=bare_farm)

    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert processes_of(bare_farm) == []
    done_before = _edits_done(bare_farm)

    report = json.loads(bare_farm.producer(*command, "--json"))
    assert 2 <= done_before < 20
    assert report["progress"]["scores"]["done"] == 20
    assert sum(attempts(bare_farm)) <= 20 + 2  # only what was under way at the time was begun twice


def test_workers_that_cannot_start_end_the_command_with_a_reason(bare_farm: FarmUnderTest) -> None:
    file = original_file(bare_farm.folder, {"categories": {"物理": [pair("p-1")]}})

    ended = ended_run(bare_farm, file, *SIMULATED, "--gpus", "0,0")

    assert ended.returncode == 5
    assert "the workers stopped" in ended.stderr
    assert "expected different GPUs" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert processes_of(bare_farm) == []


@pytest.mark.parametrize("flags", [pytest.param((), id="any GPU"), pytest.param(("--gpus", "2,3"), id="theirs")])
def test_beside_living_workers_of_this_machine_it_enters_nothing_and_says_what_to_do(
    farm: FarmUnderTest, flags: tuple[str, ...]
) -> None:
    workers = farm.farm("--gpus", "3,4")
    eventually(lambda: (farm.home / "farm.db").exists() and len(present_workers(farm.engine())) == 2, farm=farm)

    ended = ended_run(farm, original_file(farm.folder, pairs=1), *SIMULATED, *flags)

    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1)
    assert "workers live on this machine already (edit+score-gpu3@" in ended.stderr
    assert "`submit` and `watch`" in ended.stderr
    assert all_runs(farm.engine()) == []
    workers.kill()
    eventually(lambda: not any(one.lives_here for one in present_workers(farm.engine())), farm=farm)
    require_own_place(farm.engine(), None)


def test_beside_workers_on_other_gpus_it_may_start_its_own(ledger: Ledger) -> None:
    enter_worker(ledger.engine, "edit+score-gpu3@h", this_process(), "3")
    enter_worker(ledger.engine, "edit+score-gpu0@elsewhere", Process("elsewhere", 1, "100"), "0")

    require_own_place(ledger.engine, "0, 1")
    with pytest.raises(WrongCall, match="gpu3@h"):
        require_own_place(ledger.engine, "1, 3")


def ended_run(farm: FarmUnderTest, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `producer run` to an end that comes before any work."""
    return subprocess.run(
        [sys.executable, "-m", "producer", "run", *map(str, arguments)],
        env=farm.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def start_run(farm: FarmUnderTest, *flags: str, pairs: int) -> subprocess.Popen[bytes]:
    """Start `producer run` with simulated models on so many samples; its log is `run.log`."""
    file = original_file(farm.folder, pairs=pairs)
    return farm.start("-m", "producer", "run", str(file), *SIMULATED, *flags, log="run")


@pytest.mark.chaos
def test_when_the_gpu_of_every_worker_is_sick_the_command_ends_and_says_so(bare_farm: FarmUnderTest) -> None:
    run = start_run(bare_farm, "--set", "editor.cuda_error_on=[p-0,p-1,p-2,p-3]", "--gpus", "3", pairs=4)

    assert run.wait(90) == 5, bare_farm.logs()
    said = (bare_farm.folder / "run.log").read_text()
    assert "error: the GPU of every worker is sick: its GPU failed at edit" in said
    assert "CUDA error: an illegal memory access" in said
    assert processes_of(bare_farm) == []


@pytest.mark.chaos
def test_a_supervisor_that_is_killed_during_a_run_is_started_again_and_the_run_ends_well(
    bare_farm: FarmUnderTest,
) -> None:
    run = start_run(bare_farm, "--set", "editor.seconds=1", *ON_TWO_CPUS, pairs=16)
    eventually(lambda: _edits_done(bare_farm) >= 1, farm=bare_farm)
    ours = psutil.Process(run.pid).children()
    (supervisor,) = [process for process in ours if process.cmdline()[1:3] == ["-m", "workers"]]
    supervisor.kill()

    assert run.wait(90) == 0, bare_farm.logs()
    assert "was killed (signal 9); it is started again" in (bare_farm.folder / "run.log").read_text()
    assert processes_of(bare_farm) == []


@pytest.mark.chaos
def test_a_broker_that_is_killed_during_a_run_is_started_again_and_the_run_ends_well(bare_farm: FarmUnderTest) -> None:
    run = start_run(bare_farm, "--set", "editor.seconds=1", *ON_TWO_CPUS, pairs=16)
    eventually(lambda: _edits_done(bare_farm) >= 1, farm=bare_farm)
    endpoint = json.loads((bare_farm.home / "broker" / "endpoint.json").read_text())
    psutil.Process(endpoint["pid"]).kill()

    assert run.wait(90) == 0, bare_farm.logs()
    assert "the embedded broker ended" in (bare_farm.folder / "run.log").read_text()
    assert sum(attempts(bare_farm)) == 16
    assert processes_of(bare_farm) == []


def _edits_done(farm: FarmUnderTest) -> int:
    return len(done(farm)) if (farm.home / "farm.db").exists() else 0
