"""Our own farm under the clock: a real broker, ledger, command line and worker processes, whose models sleep.

A farm has a folder of its own and is warmed up once: other workers do a small run, so that the ledger knows what the
models take. Every measured run has fresh workers, which load their models anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import BaseModel
from sqlalchemy import Engine, func, select

from benchmarks.drawing import Draw, write_benchmark
from benchmarks.outcome import Fell, Outcome
from benchmarks.workload import Card
from db.engine import open_engine, reading
from db.presence import present_workers
from db.queries import progress_of
from db.settings import settings
from db.tables import Stage, State, runs, scores
from db.to_do import with_run
from producer.broker import embedded_broker

WARM_UP_CARDS = 6
WARM_UP_SAMPLES = 10  # a card
LINGER_SECONDS = 0.2
START_SECONDS = 120.0
END_SECONDS = 20.0
PATIENCE = 4.0
"""A run that takes so many times the bound has failed."""

QUIET_CORES = 0.2
"""Workers that together use no more than this have started up."""

_LOADED = ("model.loaded", "model.woken")
_ROOT = Path(__file__).parents[1]


@dataclass
class Farm:
    """One FARM_HOME with its broker; `environment` is that of all its processes."""

    folder: Path
    environment: Mapping[str, str]
    broker_url: str
    engine: Engine
    _benchmarks: int = 0

    def warm_up(self, draws: Sequence[Draw], cards: int) -> None:
        """Have every model's timings measured by a small run, on so many cards or fewer."""
        cards = min(cards, WARM_UP_CARDS)
        with self.workers([Card()] * cards):
            for run in self._submit(draws, WARM_UP_SAMPLES * cards):
                self._await_end([run], START_SECONDS)

    def measure(self, draws: Sequence[Draw], cards: Sequence[Card], bound: float) -> Outcome:
        """Return how long these runs took on fresh workers, from the first one's entry to the last score.

        A card with a time of death is killed then. Raises Fell when something was not done.
        """
        with self.workers(cards) as workers:
            run_ids = self._submit(draws)
            for card, worker in zip(cards, workers, strict=True):
                if card.dies_at < bound:
                    self._kill_at(self._began(run_ids) + card.dies_at, worker)
            self._await_end(run_ids, PATIENCE * bound + 5)
        self._check(run_ids, sum(draw.samples for draw in draws))
        return Outcome(self._ended(run_ids) - self._began(run_ids), most_swaps=max(map(self._swaps, range(len(cards)))))

    # -- workers -------------------------------------------------------------------------------------------------------

    @contextmanager
    def workers(self, cards: Sequence[Card]) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Run a worker for each card until the block ends; it begins when all of them are up and at rest."""
        processes: list[subprocess.Popen[bytes]] = []
        try:
            processes.extend(self._start(number, card) for number, card in enumerate(cards))
            _await(lambda: len(present_workers(self.engine)) >= len(cards), START_SECONDS, "the workers' presence")
            _await(lambda: _at_rest(processes), START_SECONDS, "the workers at rest")
            yield processes
        finally:
            _end(processes)

    def _start(self, number: int, card: Card) -> subprocess.Popen[bytes]:
        with self._log(number).open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "workers.worker", f"w{number}", "edit,score"],
                env={**self.environment, "SIMULATED_PACE": str(card.pace)},
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _log(self, number: int) -> Path:
        return self.folder / f"w{number}.log"

    def _swaps(self, number: int) -> int:
        """Return how often this worker changed its model: models made resident, loaded or woken, beyond the first."""
        lines = self._log(number).read_text(encoding="utf-8").splitlines()
        return max(0, sum(any(f'"event": "{event}"' in line for event in _LOADED) for line in lines) - 1)

    def _kill_at(self, moment: float, worker: subprocess.Popen[bytes]) -> None:
        """Kill a worker and its child, as when a machine goes down."""
        time.sleep(max(0.0, moment - time.time()))
        for victim in _family(worker):
            victim.kill()

    # -- runs ----------------------------------------------------------------------------------------------------------

    def _submit(self, draws: Sequence[Draw], samples: int | None = None) -> list[str]:
        """Submit a run for each draw, all at once; return their ids. Other samples than all: a warm-up's."""
        self._benchmarks += 1  # the same benchmark again would be the same run
        commands = [self._command(draw, samples or draw.samples) for draw in draws]
        started = [
            subprocess.Popen(command, env=self.environment, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
            for command in commands
        ]
        answers = [process.communicate(timeout=60)[0] for process in started]
        if any(process.returncode for process in started):
            raise Fell("submit failed")
        return [answer.strip() for answer in answers]

    def _command(self, draw: Draw, samples: int) -> list[str]:
        path = self.folder / f"{self._benchmarks}-{draw.editor}.json"
        shortened = Draw(samples, draw.swap_seconds, draw.scale, draw.seed, draw.editor)
        write_benchmark(path, shortened.workload, f"number {self._benchmarks}")
        models = ["--editor", "simulated", "--scorer", "simulated"]
        told = [*_told("editor", draw.editor_options), *_told("scorer", draw.scorer_options)]
        return [sys.executable, "-m", "producer", "submit", str(path), *models, *told]

    def _await_end(self, run_ids: Sequence[str], seconds: float) -> None:
        _await(lambda: all(progress_of(self.engine, run).finished for run in run_ids), seconds, "the end of the run")

    def _check(self, run_ids: Sequence[str], samples: int) -> None:
        done = sum(progress_of(self.engine, run).scores[State.DONE] for run in run_ids)
        if done != samples:
            raise Fell(f"{done} of {samples} scores")

    def _began(self, run_ids: Sequence[str]) -> float:
        with reading(self.engine) as connection:
            return float(connection.scalar(select(func.min(runs.c.created_at)).where(runs.c.id.in_(run_ids))) or 0)

    def _ended(self, run_ids: Sequence[str]) -> float:
        last = select(func.max(scores.c.finished_at)).select_from(with_run(Stage.SCORE))
        with reading(self.engine) as connection:
            return float(connection.scalar(last.where(runs.c.id.in_(run_ids))) or 0)


@contextmanager
def open_farm(scale: float) -> Iterator[Farm]:
    """Yield a farm in a temporary folder, its broker running; nothing is left of it afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="editfarm-")))
        ours = {
            "FARM_HOME": str(folder / "farm"),
            "FARM_LINGER_SECONDS": str(LINGER_SECONDS * scale),
            "FARM_LOADS_AT_ONCE": "64",
            "FARM_LEASE_SECONDS": "5",
            "FARM_LOG_FORMAT": "json",
            "OMP_NUM_THREADS": "1",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
        stack.enter_context(_settings(ours))
        broker_url = stack.enter_context(embedded_broker())
        engine = open_engine(settings().database)
        stack.callback(engine.dispose)
        yield Farm(folder, {**kept, **ours}, broker_url, engine)


@contextmanager
def _settings(ours: Mapping[str, str]) -> Iterator[None]:
    """Have these settings, and no others, in this process as well, where the broker is started from."""
    before = {name: value for name, value in os.environ.items() if name.startswith("FARM_")}
    _replace_settings(ours)
    try:
        yield
    finally:
        _replace_settings(before)


def _replace_settings(values: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        del os.environ[name]
    os.environ.update(values)
    settings.cache_clear()


def _told(role: str, options: BaseModel) -> Iterator[str]:
    for name, value in options.model_dump(mode="json", exclude_defaults=True).items():
        yield "--set"
        yield f"{role}.{name}={json.dumps(value)}"


def _await(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Fell(f"{what} did not come in {seconds:.0f} s")
        time.sleep(0.05)


def _at_rest(processes: Sequence[subprocess.Popen[bytes]]) -> bool:
    """Tell whether every worker has its child, and all of them together do next to nothing for half a second."""
    families = [_family(process) for process in processes]
    if any(len(family) < 2 for family in families):
        return False
    before, started = _cpu_seconds(families), time.monotonic()
    time.sleep(0.5)
    return _cpu_seconds(families) - before < QUIET_CORES * (time.monotonic() - started)


def _cpu_seconds(families: Sequence[Sequence[psutil.Process]]) -> float:
    total = 0.0
    for process in (process for family in families for process in family):
        times = process.cpu_times()
        total += times.user + times.system
    return total


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the process and all that come from it; nothing when it is gone."""
    try:
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End the workers gently, and after a while not gently."""
    families = [_family(process) for process in processes]
    for process in processes:
        process.terminate()
    _, left = psutil.wait_procs([process for family in families for process in family], timeout=END_SECONDS)
    for survivor in left:
        survivor.kill()
    for process in processes:
        process.wait()
