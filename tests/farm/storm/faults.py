"""The faults, each with the place it befalls; one that lasts says for how long and how it is mended.

Messages are left to `tests.farm.storm.messages`.
"""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

import psutil

from tests.farm.proxy import Proxy
from tests.farm.servers import Server
from tests.farm.storm import messages
from tests.farm.storm.crew import CrewWorker
from tests.farm.storm.scene import LEASE_SECONDS, Scene

LONGEST_WAIT_SECONDS = 15


@dataclass(frozen=True)
class Lasting:
    """A fault that goes on for a while, or until it is ripe."""

    seconds: float
    mend: Callable[[], None]
    ripe: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Fault:
    """One kind of fault. `place` is what it needs to itself: a worker, or a server of the scene."""

    place: str
    strike: Callable[[Scene, CrewWorker, Random], Lasting | None]
    weight: int = 2


def possible_faults(scene: Scene) -> dict[str, Fault]:
    """Return the faults that can be had here, by name."""
    on_database = _ON_SQLITE if scene.postgres is None else _ON_POSTGRES
    faults = {**_ON_WORKERS, **_ON_BROKER, **on_database, **(_ON_STORE if scene.store.can_fail else {})}
    return {name: fault for name, fault in faults.items() if name in scene.plan.only or not scene.plan.only}


def impossible_faults(scene: Scene) -> list[str]:
    """Name the faults that this machine does not allow."""
    return [] if scene.store.can_fail else list(_ON_STORE)


# -- workers -----------------------------------------------------------------------------------------------------------


def _child_kill(_scene: Scene, worker: CrewWorker, _random: Random) -> None:
    worker.pool_child().kill()


def _worker_kill(_scene: Scene, worker: CrewWorker, _random: Random) -> None:
    parent = worker.parent()
    worker.struck = True
    parent.kill()


def _tree_kill(_scene: Scene, worker: CrewWorker, _random: Random) -> None:
    tree = worker.tree()
    worker.struck = True
    _send(tree, signal.SIGKILL)


def _worker_end(_scene: Scene, worker: CrewWorker, _random: Random) -> None:
    parent = worker.parent()
    worker.struck = True
    parent.terminate()


def _child_freeze(scene: Scene, worker: CrewWorker, random: Random) -> Lasting:
    return _freeze(scene, worker, [worker.pool_child()], random)


def _worker_freeze(scene: Scene, worker: CrewWorker, random: Random) -> Lasting:
    return _freeze(scene, worker, [worker.parent()], random)


def _tree_freeze(scene: Scene, worker: CrewWorker, random: Random) -> Lasting:
    return _freeze(scene, worker, worker.tree(), random)


def _freeze(scene: Scene, worker: CrewWorker, processes: list[psutil.Process], random: Random) -> Lasting:
    """Freeze for longer than the lease; every other time until somebody else is at the job, to end it beside him."""
    held = {job: attempt for job, (name, attempt) in scene.running().items() if name == worker.name}
    _send(processes, signal.SIGSTOP)

    def thaw() -> None:
        _send(processes, signal.SIGCONT)

    def taken() -> bool:
        running = scene.running()
        return any(job in running and running[job][1] > attempt for job, attempt in held.items())

    seconds = LEASE_SECONDS + random.uniform(0.5, 4)
    return Lasting(seconds, thaw) if random.random() < 0.5 else Lasting(seconds + LONGEST_WAIT_SECONDS, thaw, taken)


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


# -- servers -----------------------------------------------------------------------------------------------------------


def _kill(server: Server, random: Random) -> Lasting:
    server.kill()
    return Lasting(random.uniform(0, 4), server.start)


def _stop(server: Server, random: Random) -> Lasting:
    server.stop()
    return Lasting(random.uniform(0, 2), server.start)


def _freeze_server(server: Server, random: Random) -> Lasting:
    server.freeze()
    return Lasting(random.uniform(1, 8), server.thaw)


def _broker_kill_and_loss(scene: Scene, _worker: CrewWorker, random: Random) -> Lasting:
    scene.broker.kill()
    scene.broker.lose_everything()
    return Lasting(random.uniform(0, 4), scene.broker.start)


def _cut(proxy: Proxy, random: Random) -> None:
    proxy.cut(reset=random.random() < 0.5)


def _cut_in_reply(proxy: Proxy, random: Random) -> None:
    proxy.cut_in_reply(random.choice((1, 3, 9, 30, 100)), reset=random.random() < 0.5)


def _swallow(proxy: Proxy, random: Random) -> Lasting:
    proxy.swallow()
    return Lasting(random.uniform(1, 8), proxy.heal)


def _sqlite_lock(scene: Scene, _worker: CrewWorker, random: Random) -> Lasting:
    connection = sqlite3.connect(scene.lock_file, timeout=5, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        connection.close()
        raise
    return Lasting(random.uniform(1, 10), connection.close)


def _store_full(scene: Scene, _worker: CrewWorker, random: Random) -> Lasting:
    scene.store.refuse()
    return Lasting(random.uniform(1, 6), scene.store.accept)


# -- by name -----------------------------------------------------------------------------------------------------------


def _postgres(scene: Scene) -> Server:
    assert scene.postgres is not None
    return scene.postgres


def _postgres_proxy(scene: Scene) -> Proxy:
    assert scene.postgres_proxy is not None
    return scene.postgres_proxy


_ON_WORKERS = {
    "kill of a pool child": Fault("worker", _child_kill, weight=8),
    "kill of a worker": Fault("worker", _worker_kill, weight=5),
    "kill of a worker's tree": Fault("worker", _tree_kill, weight=5),
    "SIGTERM of a worker": Fault("worker", _worker_end, weight=4),
    "freeze of a pool child": Fault("worker", _child_freeze, weight=3),
    "freeze of a worker": Fault("worker", _worker_freeze, weight=3),
    "freeze of a worker's tree": Fault("worker", _tree_freeze, weight=3),
}
_ON_BROKER = {  # what breaks every connection is rare: reconnecting takes seconds in which nobody works
    "kill of the broker": Fault("broker", lambda scene, _, random: _kill(scene.broker, random), weight=1),
    "kill of the broker, data lost": Fault("broker", _broker_kill_and_loss, weight=1),
    "restart of the broker": Fault("broker", lambda scene, _, random: _stop(scene.broker, random), weight=1),
    "freeze of the broker": Fault("broker", lambda scene, _, random: _freeze_server(scene.broker, random), weight=1),
    "FLUSHALL": Fault("broker", lambda scene, _, __: scene.broker.lose_everything()),
    "messages twice": Fault("broker", lambda scene, _, random: messages.double(scene.broker, random), weight=3),
    "messages reordered": Fault("broker", lambda scene, _, random: messages.shuffle(scene.broker, random)),
    "garbage in a queue": Fault("broker", lambda scene, _, random: messages.push_garbage(scene.broker, random)),
    "CLIENT KILL": Fault("broker", lambda scene, _, __: messages.kill_clients(scene.broker), weight=1),
    "broker: cut": Fault("broker", lambda scene, _, random: _cut(scene.broker_proxy, random), weight=1),
    "broker: cut in a reply": Fault("broker", lambda scene, _, random: _cut_in_reply(scene.broker_proxy, random)),
    "broker: swallowed": Fault("broker", lambda scene, _, random: _swallow(scene.broker_proxy, random), weight=1),
}
_ON_POSTGRES = {
    "kill of PostgreSQL": Fault("database", lambda scene, _, random: _kill(_postgres(scene), random)),
    "restart of PostgreSQL": Fault("database", lambda scene, _, random: _stop(_postgres(scene), random)),
    "freeze of PostgreSQL": Fault("database", lambda scene, _, random: _freeze_server(_postgres(scene), random)),
    "PostgreSQL: cut": Fault("database", lambda scene, _, random: _cut(_postgres_proxy(scene), random), weight=1),
    "PostgreSQL: cut in a reply": Fault(
        "database", lambda scene, _, random: _cut_in_reply(_postgres_proxy(scene), random)
    ),
    "PostgreSQL: swallowed": Fault(
        "database", lambda scene, _, random: _swallow(_postgres_proxy(scene), random), weight=1
    ),
}
_ON_SQLITE = {"write lock held": Fault("database", _sqlite_lock, weight=4)}
_ON_STORE = {"image store full": Fault("store", _store_full)}

ALL_FAULTS = (*_ON_WORKERS, *_ON_BROKER, *_ON_SQLITE, *_ON_POSTGRES, *_ON_STORE)
ON_WORKERS = tuple(_ON_WORKERS)
STORE_FAULTS = tuple(_ON_STORE)
