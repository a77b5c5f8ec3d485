"""What a farm tells of itself, held against its ledger: metrics of every worker, and every line of its log."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from db.tables import Stage
from tests.farm.conftest import ROOT, FarmUnderTest, eventually, pool_child_of, worker_parents
from tests.farm.scraping import free_ports, page, scraped, total
from tests.farm.steps import await_end, planted, rows, running, submit

pytestmark = pytest.mark.integration

PLANTED = """
import db.images, db.transitions
db.transitions.BACK_OFF_SECONDS = 0.5
whole = db.images.FolderStore.get

def get(store, digest):
    if is_child and once():
        raise db.images.ImageMissing(digest, 'planted: its disk not mounted yet', db.images.MISSING)
    return whole(store, digest)

db.images.FolderStore.get = get
"""


@dataclass(frozen=True)
class Observed:
    """A run of two workers at which jobs failed, were retried and lost their process: all that was told of it."""

    jobs: dict[Stage, list[Any]]
    run: str
    pages: list[str]
    ended: list[str]
    log: list[str]
    elsewhere: str


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Observed]:
    """One run for all tests of this module: the processes are gone before the first test looks."""
    folder = tmp_path_factory.mktemp("observed")
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    farm = FarmUnderTest(folder, redis_server, None)
    try:
        yield observe(farm)
    finally:
        farm.end()


def observe(farm: FarmUnderTest) -> Observed:
    port = free_ports(2)
    environment = planted(farm.folder, PLANTED, in_child=None)
    environment["PYTHONPATH"] += f"{os.pathsep}{ROOT}"  # what is planted imports ours before anything else
    run = submit(farm, "editor.seconds=0.4", "editor.fail_rate=0.3", pairs=14)
    supervisor = farm.farm("--workers", "2", FARM_METRICS_PORT=str(port), FARM_LOG_FORMAT="json", **environment)
    eventually(lambda: len(running(farm)) > 1 and _waits_again(rows(farm)), farm=farm)
    pool_child_of(worker_parents(supervisor)[0]).send_signal(signal.SIGKILL)
    await_end(farm, run)
    jobs = {stage: rows(farm, stage) for stage in Stage}
    eventually(lambda: _claims_told(port) == _attempts(jobs), seconds=10, farm=farm)
    pages = [page(port), page(port + 1)]
    elsewhere = _refusal(port)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(60) == 0, farm.logs()
    ended = [page(port), page(port + 1)]
    lines = (farm.folder / "farm.log").read_text().splitlines()
    return Observed(jobs, run, pages, ended, lines, elsewhere)


def _waits_again(edits: list[Any]) -> bool:
    return any(row.state == "queued" and row.attempt for row in edits)


def _claims_told(port: int) -> float:
    return total([page(port), page(port + 1)], "editfarm_jobs_total").total()


def _attempts(jobs: dict[Stage, list[Any]]) -> int:
    return sum(row.attempt for stage in jobs for row in jobs[stage])


def _refusal(port: int) -> str:
    """Return what another address of this host answers."""
    mine = [one.address for every in psutil.net_if_addrs().values() for one in every if one.family == socket.AF_INET]
    address = next((one for one in mine if not one.startswith("127.")), "127.0.0.2")
    try:
        return scraped(port, address)
    except OSError as error:
        return str(error)


# -- metrics -----------------------------------------------------------------------------------------------------------


def test_every_claim_counts_once_by_what_the_ledger_took(observed: Observed) -> None:
    told = total(observed.pages, "editfarm_jobs_total", "stage", "outcome")

    states = Counter((str(stage), row.state) for stage, jobs in observed.jobs.items() for row in jobs)
    ends = {key: count for key, count in told.items() if key[1] in ("done", "failed")}
    assert ends == states
    assert states["edit", "failed"] > 1
    assert told["edit", "retried"] == 1  # whose image was not there at first
    assert told["edit", "handed_back"] >= 1  # what the killed child held
    assert told.total() == _attempts(observed.jobs)


def test_failures_count_by_their_kind(observed: Observed) -> None:
    told = total(observed.pages, "editfarm_job_failures_total", "stage", "kind")

    kinds = Counter((str(stage), row.failure_kind) for stage, jobs in observed.jobs.items() for row in jobs)
    final = {key: count for key, count in kinds.items() if key[1]}
    assert told == {**final, ("edit", "store"): 1}  # which was done at the next attempt


def test_durations_and_loads_are_there_for_all_that_was_done(observed: Observed) -> None:
    done = Counter(str(stage) for stage, jobs in observed.jobs.items() for row in jobs if row.state == "done")
    assert total(observed.pages, "editfarm_job_seconds_count", "stage") == {(stage,): n for stage, n in done.items()}
    seconds = sum(row.seconds for row in observed.jobs[Stage.EDIT] if row.state == "done")
    assert total(observed.pages, "editfarm_job_seconds_sum", "stage")["edit",] == pytest.approx(seconds, abs=0.01)
    loads = total(observed.pages, "editfarm_model_loads_total", "model")
    assert loads["simulated",] >= 2
    assert total(observed.pages, "editfarm_model_load_seconds_count", "model") == loads
    assert total(observed.pages, "editfarm_children_lost_total") == {(): 1}


def test_each_worker_tells_who_it_is_and_all_tell_the_same_of_queue_and_ledger(observed: Observed) -> None:
    infos = total(observed.pages, "editfarm_worker_info", "worker", "queues")
    assert sorted(name.partition("@")[0] for name, _ in infos) == ["edit+score-cpu0", "edit+score-cpu1"]
    assert {queues for _, queues in infos} == {"edit,score"}
    for text in observed.pages:
        assert total([text], "editfarm_workers", "state") == {("serving",): 2}
        assert 'editfarm_queue_messages{queue="edit"}' in text
        assert 'editfarm_ledger_jobs{stage="score",state="queued"} 0.0' in text
        assert "editfarm_gpu" not in text  # they are on CPUs
        assert not total([text], "editfarm_scrape_errors_total")


def test_every_series_has_its_help_its_type_and_a_name_as_prometheus_wants_it(observed: Observed) -> None:
    ours = [one for one in text_string_to_metric_families(observed.pages[0]) if one.name.startswith("editfarm_")]

    assert len(ours) > 8
    for family in ours:
        assert family.documentation.endswith(".") and family.type in ("counter", "gauge", "histogram")
        assert not family.name.endswith(("_count", "_sum", "_bucket", "_created", "_milliseconds", "_percent"))
        counted = {sample.name for sample in family.samples} == {f"{family.name}_total"}
        assert counted == (family.type == "counter")
        labels = {label for sample in family.samples for label in sample.labels}
        assert not labels & {"run", "run_id", "job", "job_id", "sample", "key", "pid"}


def test_another_address_of_this_host_is_refused(observed: Observed) -> None:
    assert "Connection refused" in observed.elsewhere


def test_the_server_ends_with_its_worker(observed: Observed) -> None:
    assert observed.ended == ["", ""]


# -- the log -----------------------------------------------------------------------------------------------------------


def test_the_log_is_one_json_object_a_line(observed: Observed) -> None:
    for line in _of_stderr(observed):
        entry = json.loads(line)
        assert list(entry)[:3] == ["timestamp", "level", "event"], line


def test_every_event_of_a_job_says_run_job_sample_gpu_and_attempt_as_the_ledger_has_them(observed: Observed) -> None:
    entries = [json.loads(line) for line in _of_stderr(observed)]
    of_jobs = [one for one in entries if one["event"].partition(".")[0] in ("edit", "score")]

    known = {(str(stage), row.id): row for stage, jobs in observed.jobs.items() for row in jobs}
    told = Counter((one["event"], one["stage"], one["job"]) for one in of_jobs)
    for one in of_jobs:
        row = known[one["stage"], one["job"]]
        assert one["run"] == observed.run and one["gpu"] == "" and one["worker"].startswith("edit+score-cpu"), one
        assert 1 <= one["attempt"] <= row.attempt and one["sample"].startswith("p-"), one
        assert list(one)[3:10] == ["worker", "gpu", "stage", "run", "job", "sample", "attempt"], one
    for (stage, job), row in known.items():
        assert told[f"{stage}.done", stage, job] == (row.state == "done")
    claims = [one for one in of_jobs if one["event"].partition(".")[2] in ("done", "failed", "handed_back")]
    assert len({(one["stage"], one["job"], one["attempt"]) for one in claims}) == len(claims)
    assert len(claims) == _attempts(observed.jobs)


def test_what_a_model_does_says_for_which_job(observed: Observed) -> None:
    loads = [one for one in map(json.loads, _of_stderr(observed)) if one["event"] == "model.loaded"]

    assert loads
    assert any({"stage", "run", "job", "sample", "attempt"} <= set(one) for one in loads)


def _of_stderr(observed: Observed) -> list[str]:
    """Return the log without what Celery says on stdout as it ends."""
    return [line for line in observed.log if line and not line.startswith("worker: Warm shutdown")]
