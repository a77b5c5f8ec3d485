"""The tools of fault injection do what they say: a fault that does not happen proves nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis

from tests.farm.postgres import Postgres
from tests.farm.proxy import Proxy
from tests.farm.servers import Broker

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        server.create("farm")
        with psycopg.connect(server.url_at(server.port, "farm"), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (number integer)")
        yield server


@pytest.fixture
def proxy(broker: Broker) -> Iterator[Proxy]:
    with Proxy(broker.port) as proxy:
        yield proxy


def through(proxy: Proxy, broker: Broker) -> redis.Redis:
    return redis.Redis.from_url(broker.url_at(proxy.port), socket_timeout=1, retry=None)


def bare_connection(proxy: Proxy) -> socket.socket:
    """A connection without a client library, which would hide how it ends; PING answers +PONG, 7 bytes in all."""
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=2)
    assert ping(connection) == b"+PONG\r\n"
    return connection


def ping(connection: socket.socket) -> bytes:
    connection.sendall(b"PING\r\n")
    return connection.recv(100)


# -- the broker --------------------------------------------------------------------------------------------------------


def test_a_killed_broker_has_its_data_back_at_the_same_address(broker: Broker) -> None:
    with broker.client() as client:
        client.lpush("queue", "a", "b")
        broker.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        broker.start()
        assert client.llen("queue") == 2


@pytest.mark.parametrize("how", ["running", "killed"])
def test_a_broker_can_lose_everything(broker: Broker, how: str) -> None:
    with broker.client() as client:
        client.lpush("queue", "a")
        if how == "killed":
            broker.kill()
        broker.lose_everything()
        if how == "killed":
            broker.start()
        assert client.dbsize() == 0


def test_a_broker_without_an_append_only_file_is_empty_after_its_death(tmp_path: Path) -> None:
    with Broker(tmp_path, aof=False) as broker, broker.client() as client:
        client.set("key", "value")
        broker.kill()
        broker.start()
        assert client.dbsize() == 0


def test_a_broker_asks_for_its_password(tmp_path: Path) -> None:
    with Broker(tmp_path, password="secret") as broker:
        with broker.client() as client:
            assert client.ping()
        with redis.Redis(port=broker.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_a_frozen_broker_answers_nothing_until_it_is_thawed(broker: Broker) -> None:
    broker.freeze()
    with redis.Redis(port=broker.port, socket_timeout=0.3, retry=None) as client:
        with pytest.raises(redis.TimeoutError):
            client.ping()
        broker.thaw()
        assert client.ping()


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


def test_postgresql_is_back_after_sigkill_with_what_was_committed_and_no_more(postgres: Postgres) -> None:
    url = postgres.url_at(postgres.port, "farm")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO kept VALUES (1)")
        connection.commit()
        connection.execute("INSERT INTO kept VALUES (2)")
        postgres.kill()
        assert not postgres.running
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]


def test_a_postgresql_that_is_stopped_while_a_session_is_open_comes_back(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        postgres.restart()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert postgres.answers()


def test_a_frozen_postgresql_lets_its_sessions_wait(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection, ThreadPoolExecutor() as threads:
        postgres.freeze()
        answer = threads.submit(connection.execute, "SELECT 1")
        with pytest.raises(TimeoutError):
            answer.result(0.3)
        postgres.thaw()
        assert answer.result(5).fetchone() == (1,)


@pytest.mark.chaos
def test_postgresql_is_back_after_twenty_kills_in_a_row(postgres: Postgres) -> None:
    for _ in range(20):
        postgres.kill()
        postgres.start()


# -- the proxy ---------------------------------------------------------------------------------------------------------


def test_the_proxy_passes_large_values_both_ways(broker: Broker, proxy: Proxy) -> None:
    value = bytes(range(256)) * 20_000
    with through(proxy, broker) as client:
        client.set("large", value)
        assert client.get("large") == value


@pytest.mark.parametrize("reset", [True, False])
def test_the_proxy_cuts_by_rst_or_by_fin(proxy: Proxy, reset: bool) -> None:
    with bare_connection(proxy) as connection:
        assert proxy.cut(reset=reset) == 1
        if reset:
            with pytest.raises(ConnectionResetError):
                connection.recv(100)
        else:
            assert connection.recv(100) == b""


@pytest.mark.parametrize("reset", [True, False])
def test_the_proxy_cuts_in_the_middle_of_a_reply(broker: Broker, proxy: Proxy, reset: bool) -> None:
    with bare_connection(proxy) as connection:
        proxy.cut_in_reply(3, reset=reset)
        assert ping(connection) == b"+PO"
        if reset:
            with pytest.raises(ConnectionResetError):
                connection.recv(100)
        else:
            assert connection.recv(100) == b""
    with through(proxy, broker) as client:
        assert client.ping()  # those that come later are not cut


def test_a_cut_counts_the_bytes_of_several_replies(proxy: Proxy) -> None:
    with bare_connection(proxy) as connection:
        proxy.cut_in_reply(10, reset=False)
        assert ping(connection) == b"+PONG\r\n"
        assert ping(connection) == b"+PO"


def test_a_command_whose_reply_is_cut_was_carried_out(broker: Broker, proxy: Proxy) -> None:
    with through(proxy, broker) as client, broker.client() as direct:
        direct.lpush("queue", "message")
        client.ping()
        proxy.cut_in_reply(2)
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)):
            client.execute_command("RPOP", "queue")
        assert direct.llen("queue") == 0


def test_the_proxy_swallows_without_closing_and_resets_on_healing(proxy: Proxy) -> None:
    with bare_connection(proxy) as connection, bare_connection(proxy) as idle:
        proxy.swallow()
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            ping(connection)
        proxy.heal()
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
        assert ping(idle) == b"+PONG\r\n"  # it lost nothing


def test_the_proxy_swallows_the_closing_of_a_dead_server(broker: Broker, proxy: Proxy) -> None:
    with bare_connection(proxy) as connection:
        proxy.swallow()
        broker.kill()
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)


def test_behind_the_proxy_a_dead_server_is_a_refusal_and_a_restarted_one_serves_again(
    broker: Broker, proxy: Proxy
) -> None:
    with through(proxy, broker) as client:
        client.ping()
        broker.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        broker.start()
        assert client.ping()


def test_the_proxy_forgets_connections_that_ended(proxy: Proxy) -> None:
    bare_connection(proxy).close()
    deadline = time.monotonic() + 5
    while proxy.connections:
        assert time.monotonic() < deadline
        time.sleep(0.01)
