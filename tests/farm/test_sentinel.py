"""A primary, a replica and three sentinels: the farm finds the one that serves, and outlasts that it is another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.broker import require_broker
from db.errors import ServiceUnreachable
from db.settings import settings
from tests.farm.certificates import Authority, TlsProxy
from tests.farm.conftest import FarmAt, FarmUnderTest, eventually
from tests.farm.servers import Broker, Sentinel
from tests.farm.steps import attempts, done, finish, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]

PASSWORD, SENTINEL_PASSWORD = "geheim-1", "geheim-2"


@dataclass
class Watched:
    """Two brokers of which one serves, and who watches over them."""

    primary: Broker
    replica: Broker
    sentinels: list[Sentinel]

    def url(self, name: str = Sentinel.NAME, password: str = SENTINEL_PASSWORD) -> str:
        """Return what FARM_BROKER_URL is set to."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"sentinel://:{PASSWORD}@{hosts}/1?master={name}&sentinel_password={password}"

    def is_ready(self) -> bool:
        """Tell whether a sentinel could give the replica the primary's place by now."""
        known = self.sentinels[-1].primary()
        others = len(self.sentinels) - 1
        return int(known["num-slaves"]) == 1 and int(known["num-other-sentinels"]) == others


def _sentinel(folder: Path, primary_port: int, *, quorum: int) -> Sentinel:
    return Sentinel(folder, primary_port, quorum=quorum, password=PASSWORD, own_password=SENTINEL_PASSWORD)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        primary = stack.enter_context(Broker(tmp_path / "primary", password=PASSWORD))
        replica = stack.enter_context(Broker(tmp_path / "replica", password=PASSWORD, replica_of=primary.port))
        sentinels = [
            stack.enter_context(_sentinel(tmp_path / f"sentinel-{number}", primary.port, quorum=2))
            for number in range(3)
        ]
        yield Watched(primary, replica, sentinels)


@pytest.fixture
def farm(farm_at: FarmAt, watched: Watched) -> FarmUnderTest:
    return farm_at(watched.url())


def test_a_farm_works_where_the_sentinels_point_though_the_first_of_them_is_gone(
    farm: FarmUnderTest, watched: Watched
) -> None:
    watched.sentinels[0].kill()
    farm.worker("edit,score")
    run = submit(farm, pairs=3)
    finish(farm, run, edits_done=3)
    with watched.primary.client() as client:
        assert client.info("keyspace").keys() == {"db1"}
    logs = farm.logs()
    assert PASSWORD not in logs
    assert SENTINEL_PASSWORD not in logs


@pytest.mark.parametrize("missing", ["the name", "the sentinels' password", "the sentinels"])
def test_sentinels_that_do_not_tell_are_one_line_that_says_what_is_missing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr("db.broker_url._AGAIN_SECONDS", 0.01)
    url = {"the name": watched.url(name="other"), "the sentinels' password": watched.url(password="wrong")}
    monkeypatch.setenv("FARM_BROKER_URL", url.get(missing, watched.url()))
    if missing == "the sentinels":
        for sentinel in watched.sentinels:
            sentinel.kill()
    with pytest.raises(ServiceUnreachable, match="one of them must be up and know a server of that name") as error:
        require_broker()
    assert len(str(error.value)) < 500
    assert "geheim" not in str(error.value)


@pytest.mark.chaos
@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_primary_that_goes_in_the_middle_of_a_run_costs_time_and_no_result(
    farm: FarmUnderTest, watched: Watched, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    eventually(watched.is_ready, farm=farm)
    farm.worker("edit,score")
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=0.5", pairs=24)
    eventually(lambda: done(farm), farm=farm)
    if how == "killed":
        watched.primary.kill()
    else:
        watched.primary.freeze()
    eventually(lambda: watched.sentinels[0].primary()["port"] == watched.replica.port, farm=farm)
    if how == "frozen":
        watched.primary.thaw()

    finish(farm, run, edits_done=24)
    assert max(attempts(farm)) <= 2
    finish(farm, submit(farm, pairs=3), edits_done=3)
    with watched.replica.client() as client:
        assert client.info("commandstats")["cmdstat_brpop"]["calls"] > 0
    monkeypatch.setenv("FARM_BROKER_URL", watched.url())
    settings.cache_clear()
    require_broker()


@pytest.mark.chaos
def test_sentinels_and_server_are_both_spoken_to_by_tls(tmp_path: Path, farm_at: FarmAt) -> None:
    authority = Authority(tmp_path / "authority")
    certificate = authority.issue("server")
    with (
        Broker(tmp_path / "broker", password=PASSWORD) as broker,
        TlsProxy(broker.port, certificate, plain=True) as server,  # the sentinel here speaks no TLS, and watches it too
        _sentinel(tmp_path / "sentinel", server.port, quorum=1) as sentinel,
        TlsProxy(sentinel.port, certificate) as told,
    ):
        login = f"sentinel_password={SENTINEL_PASSWORD}&ssl_ca_certs={authority.file}"
        url = f"sentinels://:{PASSWORD}@127.0.0.1:{told.port}/0?master={Sentinel.NAME}&{login}"
        farm = farm_at(url)
        farm.worker("edit,score")
        finish(farm, submit(farm, pairs=3), edits_done=3)
        assert server.encrypted > 0
        assert told.encrypted > 0
