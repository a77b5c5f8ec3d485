"""What the farm under the storm is asked: runs, one after the other, so that there is always work."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.factories import original_file
from tests.farm.storm.scene import Scene

EDIT_SECONDS = 0.6
SCORE_SECONDS = 0.3
LOAD_SECONDS = 0.2
SCORERS = ("first", "second")
POISON_KEY = "p-3"
"""The sample that kills every process that edits it."""

RUNS_ALIKE = 2
"""So many runs in a row ask for the same edits, with scorers of their own."""

_LOOK_SECONDS = 0.5
_PRIORITIES = ("normal", "high", "low")


@dataclass(frozen=True)
class Asked:
    """A run that `producer submit` accepted."""

    run_id: str
    samples: int


@dataclass(frozen=True)
class Refusal:
    """A `producer submit` that was not accepted, and what it said."""

    exit_code: int
    said: str


class Demand:
    """Submits run after run; a run that is not accepted is submitted again. Every second one shares its edits."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        jobs = scene.plan.jobs
        self._benchmark = original_file(scene.folder, pairs=jobs)
        self._configurations = [_configuration_file(scene.folder, number) for number in range(RUNS_ALIKE)]
        self.asked: list[Asked] = []
        self.refusals: list[Refusal] = []
        self._submissions = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_asking, daemon=True)

    def start(self) -> None:
        """Ask for the first run, while nothing disturbs it, and go on in a thread."""
        assert self.ask(self._scene.plan.jobs), f"a run asked for in the calm is refused: {self.refusals[-1]}"
        self._thread.start()

    def stop(self) -> None:
        """Ask for no further run; the one under way is seen through."""
        self._stopping.set()
        self._thread.join()

    def ask(self, samples: int) -> bool:
        """Submit one more run; tell whether it was accepted."""
        seed = self._scene.plan.seed * 1000 + self._submissions // RUNS_ALIKE
        configuration = self._configurations[self._submissions % RUNS_ALIKE]
        priority = _PRIORITIES[self._submissions % len(_PRIORITIES)]
        flags = ["--config", configuration, "--seed", seed, "--priority", priority, "--limit", samples]
        try:
            done = self._scene.producer("submit", self._benchmark, *flags)
        except subprocess.TimeoutExpired as error:
            self.refusals.append(Refusal(-1, str(error)))
            return False
        if done.returncode:
            self.refusals.append(Refusal(done.returncode, done.stderr))
            return False
        self.asked.append(Asked(done.stdout.strip(), samples))
        self._submissions += 1
        return True

    def open_jobs(self) -> tuple[int, int]:
        """Return how many edits and scores wait or run. Raises DBAPIError while the database is away."""
        with self._scene.engine.connect() as connection:
            edits, scores = (
                connection.scalar(text(f"SELECT count(*) FROM {table} WHERE state IN ('queued', 'running')")) or 0
                for table in ("edits", "scores")
            )
        return edits, scores

    def _keep_asking(self) -> None:
        low = 2 * self._scene.plan.workers
        while not self._stopping.is_set():
            try:
                hungry = sum(self.open_jobs()) < low
            except DBAPIError:
                hungry = False
            if hungry:
                for _ in range(RUNS_ALIKE):
                    self.ask(self._scene.plan.jobs)
            self._stopping.wait(_LOOK_SECONDS)


def backlog_seconds(scene: Scene, edits: int, scores: int) -> float:
    """Return how long the crew needs for so many open jobs, loading included, when nothing disturbs it."""
    scores += edits * len(SCORERS)
    return (edits * (EDIT_SECONDS + LOAD_SECONDS) + scores * (SCORE_SECONDS + LOAD_SECONDS)) / scene.plan.workers


def retries_due(scene: Scene) -> float:
    """Return in how many seconds the last of the waiting jobs may start."""
    with scene.engine.connect() as connection:
        last = [
            connection.scalar(text(f"SELECT max(not_before) FROM {table} WHERE state = 'queued'")) or 0.0
            for table in ("edits", "scores")
        ]
    return max(0.0, max(last) - time.time())


def _configuration_file(folder: Path, variant: int) -> Path:
    scorer = {"name": "simulated", "seconds": SCORE_SECONDS, "spread": 0.5, "load_seconds": LOAD_SECONDS}
    editor = {**scorer, "seconds": EDIT_SECONDS, "steps": 4, "crash_on": [POISON_KEY], "width": 8, "height": 8}
    scorers = [
        {**scorer, "label": label, "seed": 10 * variant + number, "batch_size": 4, "batch_speedup": 2}
        for number, label in enumerate(SCORERS)
    ]
    path = folder / f"run-{variant}.yaml"
    path.write_text(json.dumps({"editor": editor, "scorers": scorers}), encoding="utf-8")  # JSON is YAML
    return path
