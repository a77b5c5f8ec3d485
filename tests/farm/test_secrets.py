"""Passwords and keys: a farm goes through a run, through outages and through wrong calls, and tells none of them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.factories import original_file
from tests.farm.conftest import FarmUnderTest, eventually, ready_workers
from tests.farm.dashboard import Dashboard
from tests.farm.postgres import Postgres
from tests.farm.servers import Broker
from tests.farm.story import Story, command_lines, listening
from tests.judge_server import GOOD, JudgeServer, fails, hangs_up, judge_server, says, sends

pytestmark = pytest.mark.integration

BROKER = "br0ker-geheim/1@x"
DATABASE = "d4tabase-geheim:2%x"
JUDGE = "sk-judge-geheim-3"
FLOWER = "fl0wer-geheim-4"

GUESS = "bad-guess-geheim-5"
"""A password that is wrong is one all the same: of another farm, or with one letter mistyped."""

SECRETS = (BROKER, DATABASE, JUDGE, FLOWER, GUESS)


def secrets_in(told: bytes | str) -> list[str]:
    """Return the secrets that are told, as they are or as a URL or a basic login writes them."""
    heard = told.encode() if isinstance(told, str) else told
    login = base64.b64encode(f"me:{FLOWER}".encode()).decode()
    spellings = {secret: (secret, quote(secret, safe=""), quote(secret)) for secret in SECRETS}
    spellings[FLOWER] = (*spellings[FLOWER], login)
    return [secret for secret, ways in spellings.items() if any(way.encode() in heard for way in ways)]


class QuotedBroker(Broker):
    """A broker whose password cannot stand in a URL as it is."""

    def url_at(self, port: int) -> str:
        return f"redis://:{quote(BROKER, safe='')}@127.0.0.1:{port}/0"


PLACES = {"producer", "celery", "workers", "logs", "FARM_HOME", "the ledger", "events", "Flower", "command lines"}


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_no_secret_is_told_in_a_run_in_outages_and_in_wrong_calls(tmp_path: Path) -> None:
    told = _the_whole_story(tmp_path)

    assert {place for place, what in told.items() if len(what) > 100} == PLACES
    assert {place: _around(what) for place, what in told.items() if secrets_in(what)} == {}


def test_the_password_of_the_embedded_broker_stays_in_its_folder(bare_farm: FarmUnderTest) -> None:
    farm = bare_farm
    models = ["--editor", "simulated", "--scorer", "simulated", "--set", "editor.seconds=1"]
    own = {"credentials.json", "valkey.conf", "endpoint.json"}

    run = farm.start("-m", "producer", "run", str(original_file(farm.folder)), *models, "--workers", "1")
    eventually(lambda: (farm.home / "broker" / "appendonlydir").is_dir(), farm=farm)
    password = json.loads((farm.home / "broker" / "credentials.json").read_text())["password"]
    called = command_lines(farm)
    assert run.wait(100) == 0

    assert "valkey" in called
    assert password not in called
    files = [file for file in farm.folder.rglob("*") if file.is_file() and file.name not in own]
    assert {"farm.db", "farm.log", "process.log", "broker.log"} <= {file.name for file in files}
    assert [file for file in files if password.encode() in file.read_bytes()] == []


def test_a_secret_is_found_however_it_is_spelt() -> None:
    assert secrets_in(f"x{DATABASE}x") == secrets_in("d4tabase-geheim%3A2%25x") == [DATABASE]
    assert secrets_in(b"\xff" + base64.b64encode(b"me:" + FLOWER.encode())) == [FLOWER]
    assert secrets_in("redis://:**@127.0.0.1/0") == []


def _the_whole_story(folder: Path) -> dict[str, bytes]:
    with ExitStack() as stack:
        broker = stack.enter_context(QuotedBroker(folder / "redis", password=BROKER))
        postgres = stack.enter_context(Postgres())
        judge = stack.enter_context(_judge())
        farm = FarmUnderTest(folder, broker.url, _with_login(postgres))
        stack.callback(farm.end)
        farm.environment["FARM_JUDGE_API_KEY"] = JUDGE
        story = Story(farm)
        with listening(story, broker.url):
            _a_run(story, judge)
            _outages(story, broker, postgres, judge)
            story.keep_what_lies_about()
        _wrong_calls(story, judge)
        return story.told


def _a_run(story: Story, judge: JudgeServer) -> None:
    farm = story.farm
    worker = ["-m", "celery", "-A", "workers", "worker", "-Q", "edit,score"]
    farm.start(*worker, "-l", "DEBUG", log="worker-debug", FARM_LOG_FORMAT="text")
    farm.start("-m", "workers", "--workers", "1", log="farm")
    flower = Dashboard(farm, login=f"me:{FLOWER}")
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)

    run = _submit(story, judge, seed=1)
    story.command("producer", "watch", run, "--verbose", seconds=10)  # what may pass is tried again much later
    report = json.loads(story.producer("report", run, "--json").stdout)
    assert report["progress"]["scores"]["failed"] >= 2  # the judge told the key, and that was an outcome
    for command in (["report", run], ["status"], ["status", run, "--json"], ["models", "api"], ["retry", run]):
        story.producer(*command)
    for command in ("report", "inspect conf", "inspect stats", "inspect active", "status"):
        story.command("celery", "-A", "workers", *command.split())
    _look_at_flower(story, flower)


def _outages(story: Story, broker: Broker, postgres: Postgres, judge: JudgeServer) -> None:
    farm = story.farm
    broker.stop()
    assert _submit_fails(story, judge) == 3
    story.command("workers", "--workers", "1")
    time.sleep(4)  # the workers try again, and say so
    broker.start()
    postgres.stop()
    for command in (["status"], ["watch", "latest"], ["report", "latest"]):
        assert story.producer(*command).returncode == 3
    assert _submit_fails(story, judge) == 3
    story.command("workers.worker", "edit", "edit", seconds=6)
    time.sleep(4)
    postgres.start()
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)
    judge.script = [says(GOOD)]
    run = _submit(story, judge, seed=2)
    assert story.producer("watch", run).returncode == 0


def _wrong_calls(story: Story, judge: JudgeServer) -> None:
    """Give every command that reads a secret a wrong one; more of them are tried with `db.broker` and `db.engine`."""
    broker = make_url(story.farm.environment["FARM_BROKER_URL"])
    database = make_url(story.farm.database_url)
    guess = quote(GUESS)
    for wrong in (
        {"FARM_BROKER_URL": broker.set(password=GUESS).render_as_string(hide_password=False)},
        {"FARM_BROKER_URL": f"redis://:{guess}/x@127.0.0.1:1/0"},
        {"FARM_DATABASE_URL": database.set(password=GUESS).render_as_string(hide_password=False)},
        {"FARM_DATABASE_URL": f"postgresql://farm:x@{guess}@127.0.0.1:{database.port}/farm"},
    ):
        assert _submit_fails(story, judge, **wrong) in (2, 3)
        story.command("workers", "--workers", "1", seconds=4, **wrong)
        story.command("celery", "-A", "workers", "worker", "-l", "DEBUG", seconds=4, **wrong)
    for address in (f"http://me:{guess}@127.0.0.1/v1", f"http://me:{guess}@127.0.0.1:x/v1", f"http://x/v1?key={guess}"):
        options = ["--editor", "simulated", "--scorer", "api", "--set", f"scorer.base_url={address}"]
        assert story.producer("submit", "x.json", *options, "--set", "scorer.model=judge").returncode == 2


def _submission(story: Story, judge: JudgeServer, seed: int) -> list[str]:
    benchmark = original_file(story.farm.folder, pairs=6)
    options = ["base_url=" + judge.url, "model=judge", "batch_size=1", "attempts=2", "longest_wait_seconds=0.1"]
    sets = [word for option in options for word in ("--set", f"scorer.{option}")]
    return ["submit", str(benchmark), "--editor", "simulated", "--scorer", "api", "--seed", str(seed), *sets]


def _submit(story: Story, judge: JudgeServer, *, seed: int) -> str:
    done = story.producer(*_submission(story, judge, seed))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _submit_fails(story: Story, judge: JudgeServer, **environment: str) -> int:
    return story.producer(*_submission(story, judge, 99), **environment).returncode


@contextmanager
def _judge() -> Iterator[JudgeServer]:
    """A judge that repeats the key it is sent, wherever a server has been seen to."""
    with judge_server() as server:
        server.script = [
            fails(401, f"Incorrect API key provided: Bearer {JUDGE}"),
            fails(500, f"Authorization: Bearer {JUDGE}"),
            hangs_up,
            says(f'{{"reasoning": "You said {JUDGE}.", "score": 4}}'),
            sends(f"<html>{JUDGE}"),
            sends(f"<html>{JUDGE}"),
            says(f"No score, but {JUDGE}"),
            says(f"No score, but {JUDGE}"),
            fails(400, f"{JUDGE}"),
            says(GOOD),
        ]
        yield server


def _with_login(postgres: Postgres) -> str:
    """Make a role that the server lets in by its password alone; return the URL of its database."""
    url = postgres.create("farm")
    admin = url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")  # not `open_engine`, which would make our tables
    with engine.connect() as connection:
        quoted = DATABASE.replace("'", "''").replace(":", r"\:")
        connection.execute(text(f"CREATE ROLE farm LOGIN PASSWORD '{quoted}'"))
        connection.execute(text("ALTER DATABASE farm OWNER TO farm"))
        rules = Path(connection.scalar(text("SHOW hba_file")) or "")
        rules.write_text("host all farm 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    return f"postgresql://farm:{quote(DATABASE, safe='')}@127.0.0.1:{postgres.port}/farm"


def _look_at_flower(story: Story, flower: Dashboard) -> None:
    workers = eventually(lambda: flower.said("/api/workers?refresh=true"), farm=story.farm)
    tasks = flower.said("/api/tasks")
    assert workers
    assert tasks
    pages = ["/", "/workers", "/workers?json=1", "/tasks", "/broker", "/metrics", "/healthcheck", "/api/task/types"]
    pages += ["/api/workers", "/api/tasks", "/api/queues/length", "/api/workers?status=1"]
    pages += [f"/worker/{name}" for name in workers] + [f"/task/{task}" for task in list(tasks)[:3]]
    pages += [f"/api/task/info/{task}" for task in list(tasks)[:3]]
    for path in pages:
        status, page = flower.page(path)
        assert status in (200, 404), f"{path}: {status}"
        story.note("Flower", page)
    story.note("Flower", flower.page("/", login="me:wrong")[1])


def _around(told: bytes) -> str:
    """Return where the first secret is told, for the message of a failed assertion."""
    said = told.decode(errors="replace")
    found = [said.find(secret) for secret in SECRETS if secret in said] or [0]  # none: it is in another spelling
    return said[max(0, min(found) - 500) : min(found) + 200]
