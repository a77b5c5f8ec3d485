"""A farm in simulated time, for what real seconds are too dear: `python -m benchmarks.simulation`.

The rule by which workers change sides is the very function that workers call (`db.roles`), and the work is that of
`benchmarks.scheduling`; everything else is as simple as it can be: no start-up, no ledger, every pace known.
"""

from __future__ import annotations

import heapq
import itertools
import statistics
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import click

from benchmarks.drawn_work.cases import CASES, Case
from benchmarks.drawn_work.drawing import joined
from benchmarks.drawn_work.workload import Card, Item, Workload
from benchmarks.figures.tables import markdown_table
from db.roles import Place, Work, best_stage, first_scorers, worth_beginning
from db.tables import Stage


@click.command()
@click.option("--seeds", default=8, show_default=True, help="Draws of each case, of which the median is taken.")
def main(seeds: int) -> None:
    """Simulate every case in which no card dies and no two runs compete; markdown on stdout."""
    header = ["case", "over the bound", "worst", "changes of models"]
    click.echo(markdown_table(header, [_row(case, range(seeds)) for case in CASES if case.is_plain]))


def _row(case: Case, seeds: Sequence[int]) -> list[str]:
    simulated = [(_simulated(case, seed), case.bound(1.0, seed)) for seed in seeds]
    ratios = [simulation.seconds / bound for simulation, bound in simulated]
    swaps = statistics.median(simulation.swaps for simulation, _ in simulated)
    return [case.name, f"{statistics.median(ratios):.3f}", f"{max(ratios):.3f}", f"{swaps:.0f}"]


def _simulated(case: Case, seed: int) -> Simulation:
    return Simulation(joined(case.draws(1.0, seed)), case.cards(1.0, seed)).run()


@dataclass
class _Worker:
    place: Place
    free_at: float
    batch: Sequence[Item] = ()
    swaps: int = 0


@dataclass
class Simulation:
    """One farm and one run; `seconds` and `swaps` are known when it has run."""

    workload: Workload
    cards: Sequence[Card]
    seconds: float = 0.0
    swaps: int = 0
    _events: list[tuple[float, int, int]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._unedited = deque(self.workload.items)
        self._edited: deque[Item] = deque()
        self._under_edit = self._scored = 0
        count, full = len(self.workload.items), self.workload.batch_factors[-1] / self.workload.batch_size
        self._mean_edit = sum(item.edit_seconds for item in self.workload.items) / count
        self._mean_score = sum(item.score_seconds for item in self.workload.items) / count * full
        places = [Place(Stage.EDIT, card.pace) for card in self.cards]
        scorers = first_scorers(places, [], self._work())
        for number in range(len(places) - scorers, len(places)):
            places[number] = replace(places[number], stage=Stage.SCORE)
        self._workers = [_Worker(place, self.workload.load_seconds) for place in places]

    def run(self) -> Simulation:
        """Run to the end."""
        for number, worker in enumerate(self._workers):
            self._at(worker.free_at, number)
        while self._scored < len(self.workload.items):
            self.seconds, _, number = heapq.heappop(self._events)
            self._end_job(number)
            self._begin_job(number)
        self.swaps = sum(worker.swaps for worker in self._workers)
        return self

    def _end_job(self, number: int) -> None:
        worker = self._workers[number]
        done, worker.batch = worker.batch, ()
        if not done:
            return
        if worker.place.stage is Stage.EDIT:
            self._under_edit -= 1
            self._edited.extend(done)
        else:
            self._scored += len(done)
        for other, sleeper in enumerate(self._workers):
            if sleeper.place.idle and other != number:
                sleeper.place = replace(sleeper.place, idle=False)
                self._at(self.seconds, other)

    def _begin_job(self, number: int) -> None:
        worker, work = self._workers[number], self._work()
        others = [self._seen(other) for other in self._workers if other is not worker]
        stage = best_stage(worker.place, others, work)
        if stage is not worker.place.stage:
            worker.place, worker.swaps = replace(worker.place, stage=stage), worker.swaps + 1
            self._busy(number, self.workload.load_seconds)
        elif stage is Stage.EDIT and self._unedited and worth_beginning(worker.place, others, work):
            self._under_edit += 1
            worker.batch = (self._unedited.popleft(),)
            self._busy(number, worker.batch[0].edit_seconds / worker.place.pace)
        elif stage is Stage.SCORE and self._edited:
            count = min(self.workload.batch_size, len(self._edited))
            worker.batch = [self._edited.popleft() for _ in range(count)]
            self._busy(number, self.workload.batch_seconds(worker.batch) / worker.place.pace)
        else:
            worker.place = replace(worker.place, idle=True)

    def _busy(self, number: int, seconds: float) -> None:
        self._workers[number].free_at = self.seconds + seconds
        self._at(self._workers[number].free_at, number)

    def _at(self, time: float, number: int) -> None:
        heapq.heappush(self._events, (time, next(self._order), number))

    def _seen(self, worker: _Worker) -> Place:
        return replace(worker.place, ready_in=max(0.0, worker.free_at - self.seconds))

    def _work(self) -> Work:
        to_score = len(self._unedited) + self._under_edit + len(self._edited)
        return Work(
            edits=len(self._unedited) * self._mean_edit,
            scores=to_score * self._mean_score,
            edits_waiting=len(self._unedited),
            scores_waiting=len(self._edited),
            edit_seconds=self._mean_edit,
            batch_seconds=self._mean_score * self.workload.batch_size,
            batch_size=self.workload.batch_size,
            swap_seconds=self.workload.load_seconds,
        )


if __name__ == "__main__":
    main()
