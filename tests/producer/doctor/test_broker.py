"""What the doctor says of a real broker, and that what it advises mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.broker import TO_BE_THERE, TO_BE_TOLD, TO_BE_TRUSTED, TO_SPEAK_TLS
from producer.doctor.broker import OPEN_TO_ALL, access, version
from producer.doctor.broker_sight import Broker as Seen
from producer.doctor.broker_sight import queue_keys
from producer.doctor.finding import State
from producer.doctor.sights import Once, Sights
from tests.farm.certificates import Authority, TlsProxy
from tests.farm.servers import Broker, Sentinel
from tests.producer.doctor.conftest import Look, commands_of, states

pytestmark = pytest.mark.integration


def carry_out(server: Broker, fix: str) -> None:
    """Do what a `redis-cli -u URL COMMAND` of a fix does: the client itself is in no wheel."""
    *_, command = fix.partition(f"redis-cli -u {server.url} ")
    with server.client() as client:
        client.execute_command(*command.split())


@pytest.mark.parametrize(
    ("check", "wrong", "state"),
    [
        ("broker-eviction", ("maxmemory-policy", "allkeys-lru"), State.FAULT),
        ("broker-persistence", ("appendonly", "no"), State.WARNING),
        ("broker-memory", ("maxmemory", "1mb"), State.FAULT),
    ],
)
def test_a_broker_set_wrongly_is_named_and_its_fix_mends_it(
    broker: Broker, look: Look, check: str, wrong: tuple[str, str], state: State
) -> None:
    with broker.client() as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set(wrong[0], wrong[1] if wrong[0] != "maxmemory" else used * 9 // 10)

    (found,) = look(check, FARM_BROKER_URL=broker.url)
    assert found.state is state
    carry_out(broker, commands_of(found)[0])

    assert states(look(check)) == [State.OK]


def test_a_broker_as_it_should_be_has_nothing_but_ok(broker: Broker, look: Look) -> None:
    names = ("broker", "broker-version", "broker-eviction", "broker-persistence", "broker-memory", "broker-access")
    for name in (*names, "broker-clock", "visibility-timeout"):
        assert states(look(name, FARM_BROKER_URL=broker.url)) == [State.OK], name


@pytest.mark.parametrize("given", ["", "wr0ng-secret"])
def test_a_wrong_or_missing_password_is_a_fault_that_shows_no_password(tmp_path: Path, look: Look, given: str) -> None:
    with Broker(tmp_path / "broker", password="r1ght-secret") as server:
        url = f"redis://:{given}@127.0.0.1:{server.port}/0" if given else f"redis://127.0.0.1:{server.port}/0"
        (found,) = look("broker", FARM_BROKER_URL=url)

        assert found.state is State.FAULT
        assert "secret" not in found.model_dump_json()
        assert "FARM_BROKER_URL" in (found.fix or "")
        assert states(look("broker", FARM_BROKER_URL=server.url)) == [State.OK]
        assert look("broker-eviction", FARM_BROKER_URL=url) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1/0", "redis://:half/of-a-secret@127.0.0.1:1/0", "redis://h:port/0"])
def test_a_broker_url_that_is_none_is_a_fault_that_does_not_repeat_it(look: Look, url: str) -> None:
    (found,) = look("broker", FARM_BROKER_URL=url)

    assert found.state is State.FAULT
    assert "secret" not in found.model_dump_json()


def test_each_way_in_which_none_answers_has_a_fix_of_its_own(
    tmp_path: Path, broker: Broker, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.broker_url._AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("producer.doctor.broker_sight.ANSWER_SECONDS", 0.3)
    place = f"127.0.0.1:{broker.port}"
    with TlsProxy(broker.port, Authority(tmp_path / "authority").issue("server")) as proxy:
        ways = {
            "redis://:s3cret@127.0.0.1:1/0": TO_BE_THERE,
            f"rediss://:s3cret@{place}/0": TO_SPEAK_TLS,
            f"rediss://:s3cret@127.0.0.1:{proxy.port}/0": TO_BE_TRUSTED,
            f"sentinel://:s3cret@{place}/0?master=main&sentinel_password=s3cret": TO_BE_TOLD,
        }
        for url, fix in ways.items():
            (found,) = look("broker", FARM_BROKER_URL=url)
            assert (found.state, found.fix) == (State.FAULT, fix)
            assert "s3cret" not in found.seen
            assert len(found.seen) < 200


def test_without_a_broker_and_without_a_url_the_embedded_one_is_pointed_to(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.broker.DEFAULT_ADDRESS", "redis://127.0.0.1:1/0")  # nobody listens there

    (found,) = look("broker")

    assert found.state is State.NOTE
    assert "python -m producer broker" in (found.fix or "")
    assert states(look("broker", FARM_BROKER_URL="redis://127.0.0.1:1/0")) == [State.FAULT]


def test_a_user_who_may_not_ask_is_a_note_and_the_other_lines_stay_away(broker: Broker, look: Look) -> None:
    rules = "ACL SETUSER editfarm on >pass ~* &* +@all -info"
    with broker.client() as client:
        client.execute_command(*rules.split())
    url = f"redis://editfarm:pass@127.0.0.1:{broker.port}/0"

    fine, note = look("broker", FARM_BROKER_URL=url)
    assert (fine.state, note.state) == (State.OK, State.NOTE)
    at_it = f"redis-cli -u redis://127.0.0.1:{broker.port}/0 --askpass"
    assert commands_of(note) == [f"{at_it} ACL SETUSER editfarm +info +time"]
    assert look("broker-eviction") == []


def test_a_fix_is_for_the_primary_that_sentinels_name_and_for_the_certificates_that_are_given(
    tmp_path: Path, look: Look
) -> None:
    authority = Authority(tmp_path / "authority")
    with (
        Broker(tmp_path / "broker", password="s3cret") as server,
        TlsProxy(server.port, authority.issue("server")) as proxy,
        Sentinel(tmp_path / "sentinel", server.port, quorum=1, password="s3cret", own_password="s3cret") as sentinel,
    ):
        with server.client() as client:
            client.config_set("appendonly", "no")
        at_sentinel = f"127.0.0.1:{sentinel.port}/1?master={Sentinel.NAME}&sentinel_password=s3cret"
        right = {
            f"sentinel://:s3cret@{at_sentinel}": f"redis://127.0.0.1:{server.port}/1 --askpass",
            f"rediss://:s3cret@127.0.0.1:{proxy.port}/0?ssl_ca_certs={authority.file}": (
                f"rediss://127.0.0.1:{proxy.port}/0 --cacert {authority.file} --askpass"
            ),
        }
        for url, place in right.items():
            (found,) = look("broker-persistence", FARM_BROKER_URL=url)
            assert commands_of(found)[0] == f"redis-cli -u {place} CONFIG SET appendonly yes"


def seen(address: str = "redis://127.0.0.1:6379/0", **fields: object) -> Sights:
    host = address.partition("://")[2].partition(":")[0]
    told: dict[str, object] = {"has_login": False, "encrypted": False, "info": None, "user": "", **fields}
    broker = Seen(
        address=address, cli_url=address, host=host, answered_in_seconds=0.0, clock=None, waiting=None, **told
    )  # type: ignore[arg-type]
    sights = Sights()
    sights.broker = Once(lambda: broker)
    return sights


@pytest.mark.parametrize(
    ("told", "state"), [("6.2.0", State.OK), ("7.2.4", State.OK), ("6.0.16", State.FAULT), ("5.0.14", State.FAULT)]
)
def test_redis_older_than_6_2_is_a_fault(told: str, state: State) -> None:
    (found,) = version(seen(info={"redis_version": told}))

    assert found.state is state


def test_a_broker_across_a_network_asks_for_a_password_and_is_better_reached_by_tls() -> None:
    (bare,) = access(seen("redis://192.0.2.7:6379/0"))
    (clear,) = access(seen("redis://192.0.2.7:6379/0", has_login=True))
    (right,) = access(seen("rediss://192.0.2.7:6379/0", has_login=True, encrypted=True))

    assert (bare.state, clear.state, right.state) == (OPEN_TO_ALL.state, State.NOTE, State.OK)


def test_a_visibility_timeout_below_the_lease_is_a_fault(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    import celeryconfig

    monkeypatch.setattr(celeryconfig, "visibility_timeout", 3600)

    (found,) = look("visibility-timeout")

    assert found.state is State.FAULT
    assert "3600" in (found.fix or "")


def test_the_queues_are_counted_where_celery_keeps_them(broker: Broker) -> None:
    from celery import Celery

    with Celery("sender", broker=broker.url, set_as_current=False) as app:
        app.config_from_object({"broker_transport_options": {"queue_order_strategy": "priority"}})
        for priority in (0, 3, 6, 9):
            app.send_task("edit", queue="edit", priority=priority)
    from db.tables import Stage

    with broker.client() as client:
        assert [client.llen(key) for key in queue_keys(Stage.EDIT)] == [1, 1, 1, 1]
