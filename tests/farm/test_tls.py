"""A broker behind TLS, with an authority of our own: who is not known to either side stays outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.broker import require_broker
from db.errors import ServiceUnreachable
from tests.farm.certificates import Authority, TlsProxy
from tests.farm.conftest import FarmAt, eventually
from tests.farm.servers import Broker
from tests.farm.steps import done, finish, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PASSWORD = "g3heim-es"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a server that will not be better soon."""
    monkeypatch.setattr("db.broker._ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("db.broker_url._AGAIN_SECONDS", 0.01)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("another"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker"), password=PASSWORD) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(broker: Broker, authority: Authority) -> Iterator[TlsProxy]:
    """TLS before the broker, for clients with a certificate of ours."""
    with TlsProxy(broker.port, authority.issue("server"), clients=authority) as listening:
        yield listening


def _url(proxy: TlsProxy, *parameters: str) -> str:
    return f"rediss://:{PASSWORD}@127.0.0.1:{proxy.port}/0?{'&'.join(parameters)}".rstrip("?")


def _trusting(authority: Authority) -> str:
    return f"ssl_ca_certs={authority.file}"


def _as_client(authority: Authority) -> str:
    certificate, key = authority.issue("client")
    return f"ssl_certfile={certificate}&ssl_keyfile={key}"


def _refusal(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FARM_BROKER_URL", url)
    with pytest.raises(ServiceUnreachable) as error:
        require_broker()
    assert PASSWORD not in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_farm_works_through_tls_and_goes_on_when_its_connections_break(
    farm_at: FarmAt, proxy: TlsProxy, authority: Authority
) -> None:
    farm = farm_at(_url(proxy, _trusting(authority), _as_client(authority)))
    farm.farm("--workers", "1")
    run = submit(farm, "editor.seconds=0.2", pairs=8)
    eventually(lambda: done(farm), farm=farm)
    assert proxy.cut()
    finish(farm, run, edits_done=8)


def test_a_server_of_another_authority_is_refused_by_a_line_that_names_what_to_set(
    proxy: TlsProxy, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in (_url(proxy, _trusting(stranger)), _url(proxy)):  # by default it is verified too
        said = _refusal(url, monkeypatch)
        assert said.startswith(f"no broker answers at rediss://127.0.0.1:{proxy.port}/0")
        assert "?ssl_ca_certs=FILE" in said


def test_a_worker_never_talks_to_a_server_that_it_cannot_verify(farm_at: FarmAt, proxy: TlsProxy) -> None:
    farm = farm_at(_url(proxy))
    farm.worker("edit")
    log = farm.folder / "worker-edit.log"
    eventually(lambda: "CERTIFICATE_VERIFY_FAILED" in log.read_text(), farm=farm)
    assert "ready" not in log.read_text()
    assert PASSWORD not in log.read_text()


def test_a_server_whose_name_is_another_is_refused(
    broker: Broker, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TlsProxy(broker.port, authority.issue("elsewhere", address="192.0.2.7")) as elsewhere:
        assert "for another name" in _refusal(_url(elsewhere, _trusting(authority)), monkeypatch)
        monkeypatch.setenv("FARM_BROKER_URL", _url(elsewhere, _trusting(authority), "ssl_check_hostname=false"))
        _fresh()
        require_broker()


def test_a_client_without_a_certificate_of_ours_stays_outside(
    proxy: TlsProxy, authority: Authority, stranger: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client in ("", _as_client(stranger)):
        _fresh()
        said = _refusal(_url(proxy, _trusting(authority), client).rstrip("&"), monkeypatch)
        assert "ssl_certfile=FILE&ssl_keyfile=FILE" in said


def test_a_server_without_tls_is_told_from_one_with_it(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    said = _refusal(f"rediss://:{PASSWORD}@127.0.0.1:{broker.port}/0", monkeypatch)
    assert "one without has redis://" in said


def _fresh() -> None:
    from db.settings import settings

    settings.cache_clear()
