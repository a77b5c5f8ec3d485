"""What a worker's metrics are made of: counts through a pipe, readings of who may not answer, a page."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from db.errors import WrongCall
from db.settings import settings
from tests.farm.conftest import ROOT
from workers.__main__ import _with_ports
from workers.metrics.catalogue import COUNTED, EVERY, QUEUE_MESSAGES, Source
from workers.metrics.page import metrics_page
from workers.metrics.registry import Registry
from workers.metrics.sampling import Reading, Sampler
from workers.metrics.serving import serve
from workers.tally import NOT_COUNTED, TallyPipe, no_tally, worker_tally

READ = [Reading(QUEUE_MESSAGES, 3, {"queue": "edit"})]


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> TallyPipe:
    monkeypatch.setenv("EDITFARM_TALLY", "set anew by the next line, and forgotten after the test")
    return TallyPipe()


def page_of(registry: Registry) -> str:
    return generate_latest(registry.prometheus).decode()


# -- counted -----------------------------------------------------------------------------------------------------------


def test_whatever_a_process_counts_is_in_the_catalogue_and_arrives(pipe: TallyPipe) -> None:
    tally = worker_tally()
    tally.ended("edit", "done", seconds=2.0)
    tally.ended("edit", "failed", kind="poison")
    tally.refused("score")
    tally.lease_expired()
    tally.child_lost()
    tally.model_loaded("kontext", 90.0)
    tally.model_swapped()

    registry = Registry()
    with capture_logs() as logged:
        registry.add_all(islice(pipe.counted(), 10))

    assert logged == []
    page = page_of(registry)
    for line in (
        'editfarm_jobs_total{outcome="done",stage="edit"} 1.0',
        'editfarm_jobs_total{outcome="failed",stage="edit"} 1.0',
        'editfarm_job_failures_total{kind="poison",stage="edit"} 1.0',
        'editfarm_job_seconds_bucket{le="2.5",stage="edit"} 1.0',
        'editfarm_results_refused_total{stage="score"} 1.0',
        "editfarm_leases_expired_total 1.0",
        "editfarm_children_lost_total 1.0",
        'editfarm_model_load_seconds_bucket{le="120.0",model="kontext"} 1.0',
        'editfarm_model_load_seconds_bucket{le="60.0",model="kontext"} 0.0',
        'editfarm_model_loads_total{model="kontext"} 1.0',
        "editfarm_model_swaps_total 1.0",
    ):
        assert line in page
    assert all(name in page for name in (metric.name.removesuffix("_total") for metric in COUNTED))


def test_what_a_killed_process_had_counted_stays(pipe: TallyPipe) -> None:
    code = (
        "import os, signal; from workers.tally import worker_tally; worker_tally().ended('edit', 'done');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    worker_tally().ended("edit", "done")

    registry = Registry()
    registry.add_all(islice(pipe.counted(), 2))

    assert 'editfarm_jobs_total{outcome="done",stage="edit"} 2.0' in page_of(registry)


def test_a_parent_that_does_not_read_holds_up_nobody(pipe: TallyPipe) -> None:
    tally = worker_tally()
    started = time.monotonic()
    for _ in range(30_000):
        tally.ended("edit", "done")
    assert time.monotonic() - started < 10


def test_the_longest_line_is_written_at_once(pipe: TallyPipe) -> None:
    worker_tally().model_loaded("\N{SNOWMAN}" * 5000 + '"\n', 1.0)
    assert [len(one.labels["model"]) for one in islice(pipe.counted(), 2)] == [100, 100]
    assert select_pipe_buf() > 6 * 100 + 100


def select_pipe_buf() -> int:
    import select

    return select.PIPE_BUF


def test_without_a_pipe_nothing_is_counted(pipe: TallyPipe) -> None:
    no_tally()
    assert worker_tally() is NOT_COUNTED


def test_a_line_that_means_nothing_ends_no_counting(pipe: TallyPipe) -> None:
    tally = worker_tally()
    tally._add("editfarm_no_such_total")
    tally.model_swapped()
    registry = Registry()
    with capture_logs() as logged:
        registry.add_all(islice(pipe.counted(), 2))
    assert [one["event"] for one in logged] == ["metrics.error"]
    assert "editfarm_model_swaps_total 1.0" in page_of(registry)


# -- read --------------------------------------------------------------------------------------------------------------


class Slow:
    """A source that answers when it is let."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked = 0

    def read(self) -> list[Reading]:
        self.asked += 1
        self.may_answer.wait(30)
        return READ


def test_a_source_that_does_not_answer_is_left_out_counted_and_asked_by_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.metrics.registry.WAIT_SECONDS", 0.2)
    silent = Slow()
    registry = Registry([Sampler(Source.LEDGER, silent.read), Sampler(Source.BROKER, lambda: READ)])

    started = time.monotonic()
    page_of(registry)
    page = page_of(registry)
    assert time.monotonic() - started < 2
    assert 'editfarm_queue_messages{queue="edit"} 3.0' in page  # the other one answered
    assert 'editfarm_scrape_errors_total{source="ledger"} 2.0' in page
    assert 'editfarm_scrape_errors_total{source="broker"} 0.0' in page
    assert silent.asked == 1

    silent.may_answer.set()
    monkeypatch.setattr("workers.metrics.registry.WAIT_SECONDS", 5)
    assert 'editfarm_scrape_errors_total{source="ledger"} 2.0' in page_of(registry)


def test_a_source_that_fails_is_left_out_with_one_line_for_the_outage_and_comes_back() -> None:
    now = [0.0]
    answers: Iterator[Any] = iter([OSError("gone"), OSError("gone"), READ, OSError("gone")])

    def read() -> list[Reading]:
        if isinstance(answer := next(answers), OSError):
            raise answer
        return list(answer)

    sampler = Sampler(Source.BROKER, read, clock=lambda: now[0])

    def look() -> object:
        now[0] += 5
        sampler.begin()
        return sampler.readings(5)

    with capture_logs() as logged:
        assert [look(), look(), look(), look()] == [None, None, READ, None]
    assert [(one["event"], one["source"]) for one in logged] == [("metrics.left_out", "broker")] * 2


def test_what_was_just_read_is_told_again_unasked() -> None:
    now, source = [0.0], Slow()
    source.may_answer.set()
    sampler = Sampler(Source.BROKER, source.read, clock=lambda: now[0])
    for now[0] in (0.0, 4.9, 5.1):
        sampler.begin()
        assert sampler.readings(5) == READ
    assert source.asked == 2


# -- served ------------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_one_line_that_says_what_to_set(
    pipe: TallyPipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("FARM_METRICS_PORT", str(other.getsockname()[1]))
        with capture_logs() as logged:
            serve(pipe, "edit-cpu0@host", ["edit"])
    (line,) = logged
    assert (line["event"], line["log_level"]) == ("metrics.not_served", "error")
    assert "FARM_METRICS_PORT" in line["next"] and "goes on" in line["next"]


def test_each_worker_of_a_machine_has_its_own_port(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"gpu0": {"CUDA_VISIBLE_DEVICES": "0"}, "gpu1": {"CUDA_VISIBLE_DEVICES": "1"}}
    assert _with_ports(given) == given
    monkeypatch.setenv("FARM_METRICS_PORT", "9400")
    settings.cache_clear()
    assert [one["FARM_METRICS_PORT"] for one in _with_ports(given).values()] == ["9400", "9401"]
    monkeypatch.setenv("FARM_METRICS_PORT", "65535")
    settings.cache_clear()
    with pytest.raises(WrongCall, match="ports up to 65536"):
        _with_ports(given)


def test_a_parent_without_metrics_imports_none_of_them() -> None:
    code = (
        "import workers.tasks, workers.lease, workers.metrics.serving, sys; print('prometheus_client' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "False"


# -- documented --------------------------------------------------------------------------------------------------------


def test_the_page_is_what_the_catalogue_says() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    assert page == metrics_page(), "make it anew: python -m workers.metrics > docs/reference/metrics.md"
    assert all(f"### `{metric.name}`" in page for metric in EVERY)
