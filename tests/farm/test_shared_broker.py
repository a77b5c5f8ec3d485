"""Farms that share a broker: each behind its prefix, held to it by the rules of docs/howto/broker.md."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

import pytest
import redis
from celery import Celery
from kombu import Connection
from redis.exceptions import NoPermissionError

import celeryconfig
from db.jobs import Doorbell
from db.tables import Stage
from tests.farm.conftest import ROOT, FarmUnderTest, eventually
from tests.farm.dashboard import Dashboard
from tests.farm.servers import Broker
from tests.farm.steps import done, finish, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

OPEN_API = {"FLOWER_UNAUTHENTICATED_API": "true"}
PAGE = ROOT / "docs" / "howto" / "broker.md"
PREFIXES = ["lab-a:", ""]


def rules(prefix: str) -> list[list[str]]:
    """Return the page's commands for a farm with that prefix, or for one without."""
    commands = [shlex.split(line) for line in PAGE.read_text().splitlines() if line.startswith("ACL SETUSER ")]
    with_names = [any(word[0] in "~&" for word in command[3:]) for command in commands]
    of_a_prefix = ["lab-a:" in " ".join(command) for command in commands]
    wanted = [
        [word.encode().decode("unicode_escape") for word in command]
        for command, names, prefixed in zip(commands, with_names, of_a_prefix, strict=True)
        if not names or prefixed == bool(prefix)
    ]
    assert len(wanted) == 12 + (prefix == "")
    return wanted


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker without users but its administrator."""
    with Broker(tmp_path / "broker") as server:
        yield server


def admit(broker: Broker, prefix: str) -> None:
    """Make the users of the page for a farm with that prefix; their names begin with it."""
    of_the_page = "lab-a:" if prefix else ""
    with broker.client() as administrator:
        for _, _, user, *words in rules(of_the_page):
            named = [word.replace(of_the_page, prefix) for word in words] if prefix else words
            administrator.execute_command("ACL", "SETUSER", f"{prefix}{user}", *named)


def url(broker: Broker, prefix: str, user: str) -> str:
    """Return the broker's address for a user of the page."""
    return f"redis://{quote(prefix + user)}:{user.upper()}-PASSWORD@127.0.0.1:{broker.port}/0"


def refused(broker: Broker) -> list[str]:
    """Return what the users were refused so far."""
    with broker.client() as administrator:
        return [f"{entry['username']}: {entry['object']}" for entry in administrator.acl_log()]


class Tenant(FarmUnderTest):
    """A farm that shares the broker: its workers and its producer are users of the page."""

    def __init__(self, folder: Path, broker: Broker, prefix: str) -> None:
        folder.mkdir()
        super().__init__(folder, url(broker, prefix, "producer"), None)
        self.environment["FARM_BROKER_PREFIX"] = prefix
        self._as_worker = {"FARM_BROKER_URL": url(broker, prefix, "worker")}

    def start(self, *command: str, log: str = "process", **environment: str) -> subprocess.Popen[bytes]:
        return super().start(*command, log=log, **{**self._as_worker, **environment})

    def hear(self) -> Callable[[], set[str]]:
        """Listen to the workers, as `watch` does; return what tells who has spoken so far."""
        self.start("-c", TELLS_WHO_SPEAKS, log="heard")
        eventually(lambda: "listening" in self.log("heard"), farm=self)
        return lambda: set(re.findall(r"worker: (\S+)@", self.log("heard")))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


TELLS_WHO_SPEAKS = """
from functools import partial
from producer.queue import app
say = partial(print, flush=True)
with app().connection_for_read() as connection:
    receiver = app().events.Receiver(connection, handlers={"*": lambda event: say("worker:", event["hostname"])})
    say("listening")
    receiver.capture(limit=None, timeout=None, wakeup=False)
"""

COUNTS_WHAT_WAITS = """
from workers.broker.queues import messages_waiting
for stage, messages in messages_waiting().items():
    print(stage, messages)
"""


@pytest.fixture
def tenants(tmp_path: Path, broker: Broker) -> Iterator[Callable[[str], Tenant]]:
    """Makes farms by their prefixes; all are gone when the test ends."""
    made: list[Tenant] = []

    def make(prefix: str) -> Tenant:
        admit(broker, prefix)
        made.append(Tenant(tmp_path / f"farm-{len(made)}", broker, prefix))
        return made[-1]

    yield make
    for tenant in made:
        tenant.end()


def test_two_farms_on_one_broker_neither_hear_nor_serve_each_other(
    broker: Broker, tenants: Callable[[str], Tenant]
) -> None:
    ours, theirs = tenants("lab-a:"), tenants("lab-b:")
    heard_by_us, heard_by_them = ours.hear(), theirs.hear()
    flower = Dashboard(ours, **OPEN_API)
    submit(ours, "editor.seconds=0.1", pairs=5)
    counting = ours.start("-c", COUNTS_WHAT_WAITS, log="counted")
    their_worker = theirs.worker("edit,score")
    submit(theirs, "editor.seconds=0.4", pairs=12)
    eventually(lambda: len(done(theirs)) > 1, farm=theirs)
    queues = flower.said("/api/queues/length")["active_queues"]
    assert queues == [{"name": "edit", "messages": 5}, {"name": "score", "messages": 0}]
    eventually(lambda: counting.poll() is not None, farm=ours)

    our_worker = ours.worker("edit,score")
    for farm, jobs in ((ours, 5), (theirs, 12)):
        eventually(lambda: len(done(farm, Stage.SCORE)) == jobs, farm=farm)  # noqa: B023 - asked within the round

    assert ours.log("counted") == "edit 5\nscore 0\n"
    assert heard_by_us() == {f"edit+score-{our_worker.pid}"}
    assert heard_by_them() == {f"edit+score-{their_worker.pid}"}
    asked = eventually(lambda: flower.said("/api/workers?refresh=true"), farm=ours)
    assert [name.partition("@")[0] for name in asked] == [f"edit+score-{our_worker.pid}"]
    with broker.client() as administrator:
        assert {key.decode().partition(":")[0] for key in administrator.keys("*")} == {"lab-a", "lab-b"}
    assert refused(broker) == []


@pytest.mark.chaos
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_farm_whose_worker_ends_needs_no_more_than_the_rules(
    broker: Broker, tenants: Callable[[str], Tenant], prefix: str
) -> None:
    farm = tenants(prefix)
    first = farm.worker("edit,score")
    Dashboard(farm)
    run = submit(farm, "editor.seconds=0.5", pairs=6)
    eventually(lambda: done(farm), farm=farm)
    first.terminate()
    eventually(lambda: first.poll() is not None, farm=farm)
    farm.worker("edit,score")
    finish(farm, run, edits_done=6)
    assert refused(broker) == []


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_a_dead_worker_held_is_put_back_under_the_rules(broker: Broker, prefix: str) -> None:
    """By Celery after a day, by `reject` and at a worker's end: what no run on a test's clock comes to."""
    admit(broker, prefix)
    options = {**celeryconfig.broker_transport_options, "global_keyprefix": prefix, "visibility_timeout": -1}
    with Celery(broker=url(broker, prefix, "producer"), set_as_current=False) as app:
        app.conf.update(broker_transport_options=options, task_queues=celeryconfig.task_queues)
        for job in (1, 2):
            app.send_task(**celeryconfig.message_for(Doorbell(Stage.SCORE, job, "normal")))
    with Connection(
        url(broker, prefix, "worker"), transport="workers.broker.transport:Transport", transport_options=options
    ) as held:
        channel: Any = held.default_channel
        queue = held.SimpleQueue("score")
        queue.get(timeout=5)
        channel.qos.restore_visible()
        queue.get(timeout=5).reject(requeue=True)
        for _ in range(2):
            queue.get(timeout=5).ack()
        with pytest.raises(Empty):
            queue.get(timeout=0.1)
    assert refused(broker) == []


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("user", ["worker", "producer"])
def test_the_users_may_do_nothing_else(broker: Broker, user: str, prefix: str) -> None:
    admit(broker, prefix)
    with redis.Redis.from_url(url(broker, prefix, user)) as client:
        for command in (
            "CONFIG GET requirepass",
            "FLUSHALL",
            "FLUSHDB",
            "KEYS *",
            "SCAN 0",
            "ACL LIST",
            "SHUTDOWN",
            "MONITOR",
            "CLIENT LIST",
            "EVAL 'return 1' 0",
            "LPUSH other 1",
            "LPUSH editor 1",
            "LLEN lab-b:edit",
            "PUBLISH other 1",
            "PSUBSCRIBE *",
        ):
            with pytest.raises(NoPermissionError):
                client.execute_command(*shlex.split(command))
        client.llen(f"{prefix}edit")
        if user == "producer":
            for command in (f"BRPOP {prefix}edit 1", f"HGET {prefix}unacked 1", f"PUBLISH {prefix}/0.celery.pidbox 1"):
                with pytest.raises(NoPermissionError):
                    client.execute_command(*command.split())
