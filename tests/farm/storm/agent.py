"""Who does it: one fault every second or two, drawn from a seed; what lasts is mended when its time is over."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from random import Random

import psutil
import redis

from tests.farm.storm.crew import CrewWorker
from tests.farm.storm.faults import Fault, Lasting, possible_faults
from tests.farm.storm.scene import Scene

BUSY_SHARE = 0.75


@dataclass(frozen=True)
class Deed:
    """A fault that happened, at a time in seconds since the epoch; `worker` where one was struck."""

    fault: str
    at: float
    worker: str | None


class Agent:
    """Acts from `look` to `look`. The seed fixes what is tried; what can be done depends on who lives."""

    def __init__(self, scene: Scene) -> None:
        self.deeds: list[Deed] = []
        self.missed = 0
        """Faults that came too late: their victim had just gone."""
        self._scene = scene
        self._random = Random(f"agent {scene.plan.seed}")
        self._faults = possible_faults(scene)
        self._lasting: dict[str, tuple[float, Lasting]] = {}
        self._next_at = time.monotonic() + 1

    def look(self) -> None:
        """Mend what has lasted long enough; strike when it is time."""
        now = time.monotonic()
        for place, (until, lasting) in list(self._lasting.items()):
            if now >= until or lasting.ripe():
                self._mend(place)
        if now >= self._next_at:
            self._next_at = now + self._random.uniform(1, 2)
            self._strike()

    def mend_all(self) -> None:
        """Mend everything that still lasts."""
        for place in list(self._lasting):
            self._mend(place)

    def _strike(self) -> None:
        names = list(self._faults)
        weights = [fault.weight for fault in self._faults.values()]
        (name,) = self._random.choices(names, weights)
        worker = self._victim()
        fault = self._faults[name]
        place = _place(fault, worker)
        if place in self._lasting:
            self.missed += 1
            return
        at = time.time()
        try:
            lasting = fault.strike(self._scene, worker, self._random)
        except (psutil.Error, redis.RedisError, sqlite3.OperationalError):
            self.missed += 1
            return
        if lasting is not None:
            self._lasting[place] = (time.monotonic() + lasting.seconds, lasting)
        self.deeds.append(Deed(name, at, worker.name if fault.place == "worker" else None))

    def _victim(self) -> CrewWorker:
        """Draw a worker, more often than not one that is at a job: others have nothing to lose."""
        crew = self._scene.crew.workers
        if self._random.random() < BUSY_SHARE:
            at_work = {worker for worker, _ in self._scene.running().values()}
            crew = [worker for worker in crew if worker.name in at_work] or crew
        return self._random.choice(crew)

    def _mend(self, place: str) -> None:
        _, lasting = self._lasting.pop(place)
        lasting.mend()


def _place(fault: Fault, worker: CrewWorker) -> str:
    return worker.name if fault.place == "worker" else fault.place
