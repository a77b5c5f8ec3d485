"""Our own farm under the clock: a real broker, ledger, command line and worker processes, whose models sleep.

It is warmed up once: other workers do a small run, so that the ledger knows what the models take. Every measured run
has fresh workers, which load their models anew.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from benchmarks.drawn_work.drawing import Draw, write_benchmark
from benchmarks.drawn_work.workload import Card
from benchmarks.figures.outcome import Fell, Outcome
from benchmarks.measured_farm.farm import ROOT, START_SECONDS, Farm, told
from benchmarks.measured_farm.processes import Process, family_of
from db.engine import reading
from db.queries import progress_of
from db.tables import Stage, State, runs, scores
from db.to_do import with_run

WARM_UP_CARDS = 6
WARM_UP_SAMPLES = 10  # a card
LINGER_SECONDS = 0.2
LEASE_SECONDS = 5
PATIENCE = 4.0
"""A run that takes so many times the bound has failed."""

_LOADED = ("model.loaded", "model.woken")


@dataclass
class Ours:
    """The farm as a system that does drawn work."""

    farm: Farm
    _benchmarks: int = 0

    def warm_up(self, draws: Sequence[Draw], cards: int) -> None:
        """Have every model's timings measured by a small run, on so many cards or fewer."""
        cards = min(cards, WARM_UP_CARDS)
        with self.farm.workers([Card()] * cards):
            for run in self._submit(draws, WARM_UP_SAMPLES * cards):
                self.farm.await_end([run], START_SECONDS)

    def measure(self, draws: Sequence[Draw], cards: Sequence[Card], bound: float) -> Outcome:
        """Return how long these runs took on fresh workers, from the first one's entry to the last score.

        A card with a time of death is killed then. Raises Fell when something was not done.
        """
        with self.farm.workers(cards) as workers:
            run_ids = self._submit(draws)
            for card, worker in zip(cards, workers, strict=True):
                if card.dies_at < bound:
                    _kill_at(self._began(run_ids) + card.dies_at, worker)
            self.farm.await_end(run_ids, PATIENCE * bound + 5)
        self._check(run_ids, sum(draw.samples for draw in draws))
        return Outcome(self._ended(run_ids) - self._began(run_ids), most_swaps=max(map(self._swaps, range(len(cards)))))

    def _swaps(self, number: int) -> int:
        """Return how often this worker changed its model: models made resident, loaded or woken, beyond the first."""
        lines = self.farm.log(number).read_text(encoding="utf-8").splitlines()
        return max(0, sum(any(f'"event": "{event}"' in line for event in _LOADED) for line in lines) - 1)

    def _submit(self, draws: Sequence[Draw], samples: int | None = None) -> list[str]:
        """Submit a run for each draw, all at once; return their ids. Other samples than all: a warm-up's."""
        self._benchmarks += 1  # the same benchmark again would be the same run
        commands = [self._command(draw, samples or draw.samples) for draw in draws]
        started = [
            subprocess.Popen(command, env=self.farm.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for command in commands
        ]
        answers = [process.communicate(timeout=60)[0] for process in started]
        if any(process.returncode for process in started):
            raise Fell("submit failed")
        return [answer.strip() for answer in answers]

    def _command(self, draw: Draw, samples: int) -> list[str]:
        path = self.farm.folder / f"{self._benchmarks}-{draw.editor}.json"
        shortened = Draw(samples, draw.swap_seconds, draw.scale, draw.seed, draw.editor)
        write_benchmark(path, shortened.workload, f"number {self._benchmarks}")
        options = [*told("editor", draw.editor_options), *told("scorer", draw.scorer_options)]
        return self.farm.submit_command(path, "--editor", "simulated", "--scorer", "simulated", *options)

    def _check(self, run_ids: Sequence[str], samples: int) -> None:
        done = sum(progress_of(self.farm.engine, run).scores[State.DONE] for run in run_ids)
        if done != samples:
            raise Fell(f"{done} of {samples} scores")

    def _began(self, run_ids: Sequence[str]) -> float:
        with reading(self.farm.engine) as connection:
            return float(connection.scalar(select(func.min(runs.c.created_at)).where(runs.c.id.in_(run_ids))) or 0)

    def _ended(self, run_ids: Sequence[str]) -> float:
        last = select(func.max(scores.c.finished_at)).select_from(with_run(Stage.SCORE))
        with reading(self.farm.engine) as connection:
            return float(connection.scalar(last.where(runs.c.id.in_(run_ids))) or 0)


def _kill_at(moment: float, worker: Process) -> None:
    """Kill a worker and its child, as when a machine goes down."""
    time.sleep(max(0.0, moment - time.time()))
    for victim in family_of(worker.pid):
        victim.kill()
