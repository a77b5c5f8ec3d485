"""What metrics say of a farm whose workers vanish and come back, and whose servers do not answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.tables import Stage
from tests.farm.conftest import FarmAt, FarmUnderTest, eventually, worker_parents
from tests.farm.postgres import Postgres
from tests.farm.scraping import free_ports, page, total
from tests.farm.servers import Broker
from tests.farm.steps import finish, rows, running, submit

pytestmark = [pytest.mark.integration, pytest.mark.chaos]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def database() -> Iterator[Postgres]:
    with Postgres() as database:
        yield database


def test_a_worker_that_was_fenced_off_counts_its_late_result_as_refused_and_the_job_counts_once(
    farm: FarmUnderTest,
) -> None:
    port = free_ports(2)
    supervisor = farm.farm("--workers", "2", FARM_METRICS_PORT=str(port))
    run = submit(farm, "editor.seconds=4", pairs=2)
    eventually(lambda: len(running(farm)) == 2, farm=farm)
    frozen = worker_parents(supervisor)[0]
    tree = [frozen, *frozen.children(recursive=True)]
    for process in tree:
        process.suspend()

    eventually(lambda: running(farm, attempt=2), farm=farm)
    for process in reversed(tree):
        process.resume()
    finish(farm, run, edits_done=2)

    def refused() -> float:
        return total(pages(), "editfarm_results_refused_total", "stage")["edit",]

    def pages() -> list[str]:
        return [page(port), page(port + 1)]

    eventually(refused, farm=farm)
    told = total(pages(), "editfarm_jobs_total", "stage", "outcome")
    assert told == {("edit", "done"): 2, ("edit", "handed_back"): 1, ("score", "done"): 2}
    assert total(pages(), "editfarm_leases_expired_total") == {(): 1}
    assert sum(row.attempt for stage in Stage for row in rows(farm, stage)) == told.total()


def test_servers_that_do_not_answer_hold_up_no_scrape_and_their_series_come_back(
    farm_at: FarmAt, broker: Broker, database: Postgres
) -> None:
    farm = farm_at(broker.url, database.url)
    port = free_ports(1)
    farm.worker("edit,score", FARM_METRICS_PORT=str(port))
    eventually(lambda: told(port) == {"queue", "ledger"}, farm=farm)
    broker.freeze()
    database.freeze()
    time.sleep(5.1)  # what was read before is told that long

    started = time.monotonic()
    away = page(port)
    assert 1 < time.monotonic() - started < 4
    assert "editfarm_queue_messages{" not in away
    assert "editfarm_ledger_jobs{" not in away
    assert total([away], "editfarm_scrape_errors_total", "source") == {("broker",): 1, ("ledger",): 1}

    broker.thaw()
    database.thaw()
    eventually(lambda: told(port) == {"queue", "ledger"}, farm=farm)


def told(port: int) -> set[str]:
    """Return of whom the page tells."""
    text = page(port)
    series = {"queue": "editfarm_queue_messages{", "ledger": "editfarm_ledger_jobs{"}
    return {name for name, begin in series.items() if begin in text}
