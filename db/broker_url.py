"""What FARM_BROKER_URL says: one Redis server, or the one that sentinels name; with TLS or without.

It is read once, and both Celery and our own clients take what it says from here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from db.errors import WrongCall

if TYPE_CHECKING:
    from redis import Redis

NO_REDIS_URL = (
    "FARM_BROKER_URL is not a Redis URL; expected redis://:PASSWORD@HOST:PORT/NUMBER, the same with rediss:// for TLS, "
    "or sentinel://:PASSWORD@HOST,HOST,HOST/NUMBER?master=NAME, where a password with / or @ has them written as %2F "
    "and %40"
)
_REDIS, _SENTINEL = {"redis", "rediss"}, {"sentinel", "sentinels"}
_WITH_TLS = {"rediss", "sentinels"}
_FILES = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_TLS = {*_FILES, "ssl_cert_reqs", "ssl_check_hostname"}
_OF_SENTINELS = {"master", "sentinel_username", "sentinel_password"}
UNKNOWN_PARAMETER = (
    f"FARM_BROKER_URL has behind its ? what the farm does not know there: with TLS it takes {', '.join(sorted(_TLS))}, "
    f"with sentinels {', '.join(sorted(_OF_SENTINELS))}; the number of the database stands behind the last /, and in a "
    "password ? is written as %3F"
)
_AGAIN_SECONDS, _TIMES_AGAIN = 0.5, 2  # a server that is just starting
_DATABASE = re.compile(r"(/\d*)?")
_PASSWORD_IN_QUERY = re.compile(r"(?<=[?&])(?:sentinel_)?password=[^&]*&?")


@dataclass(frozen=True)
class BrokerUrl:
    """A broker's address, taken apart. `master` is the sentinels' name for the server, None where there are none."""

    hosts: tuple[tuple[str, int], ...]
    database: int
    login: Mapping[str, str] = field(repr=False)
    tls: Mapping[str, str | bool]
    """redis-py's parameters of that name; empty where nothing is encrypted."""
    master: str | None = None
    sentinel_login: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, address: str) -> Self:
        """Take a URL apart. Raises WrongCall, which repeats nothing of it: where its password stands nobody knows."""
        try:
            scheme, found, rest = address.partition("://")
            netloc = re.split("[/?#]", rest, maxsplit=1)[0]
            parts = urlsplit(f"{scheme}{found}{rest.removeprefix(netloc)}")  # which refuses [::1] behind another host
            query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
            userinfo, _, hosts = netloc.rpartition("@")
            places = tuple(_place(host, 26379 if parts.scheme in _SENTINEL else 6379) for host in hosts.split(","))
        except ValueError:
            raise WrongCall(NO_REDIS_URL) from None
        _check(parts, query, places)
        username, _, password = userinfo.partition(":")
        return cls(
            hosts=places,
            database=int(parts.path[1:] or 0),
            login=_login(unquote(username), unquote(password)),
            tls=_tls(query) if parts.scheme in _WITH_TLS else {},
            master=query.get("master"),
            sentinel_login=_login(query.get("sentinel_username"), query.get("sentinel_password")),
        )

    @property
    def for_celery(self) -> str:
        """The URL as Celery wants it, passwords included; it is told of TLS and of the sentinels' name elsewhere."""
        scheme = "sentinel" if self.master else "rediss" if self.tls else "redis"
        username, password = (quote(self.login.get(name, ""), safe="") for name in ("username", "password"))
        userinfo = f"{username}:{password}@" if self.login else ""
        return ";".join(
            f"{scheme}://{userinfo}{f'[{host}]' if ':' in host else host}:{port}/{self.database}"
            for host, port in self.hosts
        )

    def options_for_sentinels(self, timeouts: Mapping[str, float]) -> dict[str, Any]:
        """Return kombu's transport options for asking sentinels; none where there are none."""
        if self.master is None:
            return {}
        return {"master_name": self.master, "sentinel_kwargs": self._sentinel_kwargs(timeouts)}

    def client(self, answer_seconds: float) -> Redis:
        """Return a client of the server, to be closed by the caller; it connects with its first command.

        Raises redis.RedisError then, for a certificate that is not trusted too, and OSError for a file that is no such.
        """
        from redis import ConnectionError as NotConnected
        from redis import Redis
        from redis.backoff import ConstantBackoff
        from redis.retry import Retry
        from redis.sentinel import Sentinel

        timeouts = {"socket_timeout": answer_seconds, "socket_connect_timeout": answer_seconds}
        again = Retry(ConstantBackoff(_AGAIN_SECONDS), _TIMES_AGAIN, supported_errors=(NotConnected,))
        options: dict[str, Any] = {
            **timeouts,
            **self.login,
            **self.tls,
            "db": self.database,
            "ssl": bool(self.tls),
            "retry": again,
        }
        if self.master is None:
            (host, port), *_ = self.hosts
            return Redis(host, port, **options)
        sentinels = Sentinel(self.hosts, sentinel_kwargs=self._sentinel_kwargs(timeouts), **options)  # type: ignore[no-untyped-call]
        client: Redis = sentinels.master_for(self.master)  # type: ignore[no-untyped-call]
        return client

    def _sentinel_kwargs(self, timeouts: Mapping[str, float]) -> dict[str, Any]:
        """Return redis-py's parameters for a sentinel: it is asked once, for while it is gone another one knows."""
        tls = {"ssl": True, **self.tls} if self.tls else {}
        return {**timeouts, **self.sentinel_login, **tls, "retry": None}


def without_password(address: str) -> str:
    """Return the URL with its user and its passwords left out."""
    scheme, found, rest = _PASSWORD_IN_QUERY.sub("", address).rstrip("?&").partition("://")
    return f"{scheme}{found}{rest.rpartition('@')[2]}"


def _place(text: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or default_port


def _check(parts: SplitResult, query: Mapping[str, str], places: tuple[tuple[str, int], ...]) -> None:
    by_sentinels = parts.scheme in _SENTINEL
    if parts.scheme in _REDIS | _SENTINEL and query.keys() & _TLS and parts.scheme not in _WITH_TLS:
        raise WrongCall(
            f"FARM_BROKER_URL has parameters of TLS, but {parts.scheme}:// is not encrypted: "
            f"begin it with {parts.scheme}s://"
        )
    known = _TLS | _OF_SENTINELS if by_sentinels else _TLS
    if (
        parts.scheme not in _REDIS | _SENTINEL
        or parts.fragment
        or not _DATABASE.fullmatch(parts.path)
        or (len(places) > 1 and not by_sentinels)
    ):
        raise WrongCall(NO_REDIS_URL)
    if query.keys() - known:
        raise WrongCall(UNKNOWN_PARAMETER)
    if by_sentinels and "master" not in query:
        raise WrongCall(
            "FARM_BROKER_URL names sentinels, but not by which name they know the server: add ?master=NAME, the NAME "
            "of their `sentinel monitor NAME ...`"
        )


def _login(username: str | None, password: str | None) -> dict[str, str]:
    return {name: text for name, text in (("username", username), ("password", password)) if text}


def _tls(query: Mapping[str, str]) -> dict[str, str | bool]:
    """Return the parameters of TLS; who says nothing has the server's certificate checked, its name included."""
    required = query.get("ssl_cert_reqs", "required").lower().removeprefix("cert_")
    if required not in ("required", "none"):
        raise WrongCall("FARM_BROKER_URL: ssl_cert_reqs is required, the default, or none, which trusts anybody")
    named = query.get("ssl_check_hostname", "true").lower()
    if named not in ("true", "false"):
        raise WrongCall("FARM_BROKER_URL: ssl_check_hostname is true, the default, or false")
    if ("ssl_certfile" in query) != ("ssl_keyfile" in query):
        raise WrongCall("FARM_BROKER_URL: ssl_certfile and ssl_keyfile, the client's own certificate, go together")
    files: dict[str, str | bool] = {name: query[name] for name in sorted(_FILES & query.keys())}
    for name, file in files.items():
        if not Path(str(file)).is_file():
            raise WrongCall(f"FARM_BROKER_URL: {name} is {file}, and there is no such file")
    return {**files, "ssl_cert_reqs": required, "ssl_check_hostname": named == "true"}
