"""What is left to do and who is there to do it: what a worker looks at before it takes its next job."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Table,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from db.catalogue import find_spec
from db.choice import GIVEN, ModelChoice
from db.roles import Place, Work
from db.seats import Seat, living_seats
from db.tables import OPEN_STATES, TRIED_AND_WAITING, Stage, State, edits, run_scorers, runs, scores
from db.timings import Timing, expected, known_timings, role_at, timing_key
from db.to_do import by_index, in_index
from db.twins import is_made_elsewhere

_RANKS = {"high": 0, "normal": 1, "low": 2}


@dataclass(frozen=True)
class Opening:
    """Jobs of one run for one model: so many wait, so many are under way, so many scores come when edits are done.

    Under way is also what waits behind a back-off, and an edit that another run has under way; `shared` tells that this
    may be. `scorer_id` is None for edits. `rank` is the run's priority, 0 the highest.
    """

    stage: Stage
    run_id: str
    scorer_id: int | None
    model: ModelChoice
    batch_size: int
    rank: int
    created_at: float
    timing: Timing
    waiting: int
    running: int
    to_come: int
    shared: bool = False

    @cached_property
    def key(self) -> str:
        """The model's name among the timings; the same for runs that share the model."""
        return timing_key(self.stage, self.model)

    @property
    def fills_gpu(self) -> bool:
        """Whether no other such model may be on the device beside its model."""
        return find_spec(role_at(self.stage), self.model.name).fills_gpu


@dataclass(frozen=True)
class Outlook:
    """The openings of every run that is not finished, the oldest run first, and the seats of all living workers."""

    openings: Sequence[Opening]
    seats: Sequence[Seat]

    def at(self, stage: Stage) -> list[Opening]:
        """Return the openings of a stage."""
        return [opening for opening in self.openings if opening.stage is stage]

    def waiting(self, stage: Stage) -> int:
        """Return how many jobs of a stage wait."""
        return sum(opening.waiting for opening in self.at(stage))

    def places(self, *, without: str, beginning: bool = True) -> list[Place]:
        """Return where everybody but one sits.

        `beginning`: who has not begun is taken to be about to edit, where there is an edit for each of them.
        """
        seats = [seat for seat in self.seats if seat.name != without]
        enough = self.waiting(Stage.EDIT) >= sum(seat.stage is None for seat in seats)
        first = Stage.EDIT if beginning and enough else None
        return [
            Place(stage, seat.pace, seat.ready_in, seat.idle, fixed=len(seat.stages) == 1)
            for seat in seats
            if (stage := seat.stage or (first if first in seat.stages else None)) is not None
        ]

    def work(self, swap_seconds: float) -> Work:
        """Return what is left of all runs together, for a worker that a change of sides takes so long."""
        editing, scoring = self.at(Stage.EDIT), self.at(Stage.SCORE)
        left = sum((one.waiting + one.to_come) * one.timing.seconds for one in scoring)
        edits_waiting, to_score = self.waiting(Stage.EDIT), sum(one.waiting + one.to_come for one in scoring)
        edit_seconds = sum(one.waiting * one.timing.seconds for one in editing)
        batch_size = max((one.batch_size for one in scoring), default=1)
        return Work(
            edits=edit_seconds,
            scores=left,
            edits_waiting=edits_waiting,
            scores_waiting=self.waiting(Stage.SCORE),
            edit_seconds=edit_seconds / edits_waiting if edits_waiting else 0.0,
            batch_seconds=left / to_score * batch_size if to_score else 0.0,
            batch_size=batch_size,
            swap_seconds=swap_seconds,
        )


@dataclass(frozen=True)
class _Model:
    stage: Stage
    scorer_id: int | None
    choice: ModelChoice
    batch_size: int
    key: str


class Lookout:
    """Looks at the ledger; remembers which models a run has, because that never changes."""

    def __init__(self) -> None:
        self._models: dict[str, list[_Model]] = {}

    def look(self, connection: Connection, now: float) -> Outlook:
        """Return how things stand."""
        found = connection.execute(_open_runs()).all()
        self._learn(connection, [run.id for run in found if run.id not in self._models])
        counts = _counts(connection, [run.id for run in found], now)
        shared = _sharing(found)
        for run_id, made_elsewhere in _made_elsewhere(connection, shared, counts).items():
            _put_under_way(counts[run_id], made_elsewhere)
        models = {model.key: expected(model.stage, model.choice) for run in found for model in self._models[run.id]}
        timing = known_timings(connection, models) if models else {}
        openings = [opening for run in found for opening in self._openings(run, counts, timing, shared)]
        return Outlook(openings, living_seats(connection, now))

    def rehearse(self, connection: Connection, now: float) -> None:
        """Ask all that `look` may ask, of a run that there is not."""
        self.look(connection, now)
        self._learn(connection, [""])
        _counts(connection, [""], now)
        known_timings(connection, {"": Timing(0.0, 0.0)})

    def _openings(
        self, run: Any, counts: Mapping[Any, Mapping[str, int]], timing: Mapping[str, Timing], shared: Collection[str]
    ) -> Iterator[Opening]:
        makes_edits = any(model.stage is Stage.EDIT for model in self._models[run.id])
        edits_left = sum(counts.get(run.id, {}).values()) if makes_edits else 0
        for model in self._models[run.id]:
            count = counts.get(run.id if model.scorer_id is None else model.scorer_id, {})
            yield Opening(
                stage=model.stage,
                run_id=run.id,
                scorer_id=model.scorer_id,
                model=model.choice,
                batch_size=model.batch_size,
                rank=_RANKS[run.priority],
                created_at=run.created_at,
                timing=timing[model.key],
                waiting=count.get(State.QUEUED, 0),
                running=count.get(State.RUNNING, 0),
                to_come=edits_left if model.stage is Stage.SCORE else 0,
                shared=model.stage is Stage.EDIT and run.id in shared,
            )

    def _learn(self, connection: Connection, run_ids: Sequence[str]) -> None:
        if not run_ids:
            return
        asked = select(runs.c.id, runs.c.configuration).where(runs.c.id.in_(run_ids))
        for run_id, configuration in connection.execute(asked):
            editor = configuration["editor"]  # whose edits were given offers none, whatever the rows say
            self._models[run_id] = [] if editor["name"] == GIVEN else [_model(Stage.EDIT, None, editor, 1)]
        judges = select(run_scorers).where(run_scorers.c.run_id.in_(run_ids)).order_by(run_scorers.c.id)
        for row in connection.execute(judges):
            self._models[row.run_id].append(_model(Stage.SCORE, row.id, row.configuration, row.batch_size))


def _model(stage: Stage, scorer_id: int | None, configuration: Mapping[str, Any], batch_size: int) -> _Model:
    choice = ModelChoice(**configuration)
    return _Model(stage, scorer_id, choice, batch_size, timing_key(stage, choice))


@cache
def _open_runs() -> Select[Any]:
    """Select the runs of which anything is open; for each run, and each scorer, one look into an index."""
    open_edits = _some_open(edits, edits.c.run_id == runs.c.id)
    open_scores = _some_open(scores, scores.c.scorer_id == run_scorers.c.id)
    columns = (runs.c.id, runs.c.priority, runs.c.created_at, runs.c.editing)
    is_open = or_(open_edits, exists().where(run_scorers.c.run_id == runs.c.id, open_scores))
    return select(*columns).where(is_open).order_by(runs.c.created_at, runs.c.id)


def _some_open(jobs: Table, which: ColumnElement[bool]) -> ColumnElement[bool]:
    first, last = OPEN_STATES  # no other state is between them in the alphabet
    some = select(jobs.c.id).where(which, by_index(jobs, first, last)).order_by(*in_index(jobs)).limit(1)
    return some.scalar_subquery().is_not(None)


_BEHIND = "behind"


def _counts(connection: Connection, run_ids: Sequence[str], now: float) -> dict[str | int, dict[str, int]]:
    """Return how many open jobs there are by state: of a run's edits by its id, of a scorer's scores by its number.

    What waits behind a back-off counts as under way: it is not to be had yet.
    """
    counts: dict[str | int, dict[str, int]] = {}
    if run_ids:
        for run_id, scorer_id, state, count in connection.execute(_counted(), {"run_ids": run_ids, "now": now}):
            counts.setdefault(run_id or scorer_id, {})[state] = count
    for found in counts.values():
        _put_under_way(found, found.pop(_BEHIND, 0))
    return counts


@cache
def _counted() -> CompoundSelect[Any]:
    """Select the counts of `run_ids`, by state; of what waits beyond `now` once more, as `_BEHIND`."""
    asked: BindParameter[str] = bindparam("run_ids", expanding=True)
    now: BindParameter[float] = bindparam("now")
    of_scorers = select(run_scorers.c.id).where(run_scorers.c.run_id.in_(asked))
    no_run, no_scorer = cast(null(), edits.c.run_id.type), cast(null(), scores.c.scorer_id.type)
    parts = []
    for jobs, source, group, wanted in (
        (edits, edits.c.run_id, (edits.c.run_id, no_scorer.label("scorer_id")), edits.c.run_id.in_(asked)),
        (scores, scores.c.scorer_id, (no_run.label("run_id"), scores.c.scorer_id), scores.c.scorer_id.in_(of_scorers)),
    ):
        by_state = select(*group, jobs.c.state, func.count()).group_by(source, jobs.c.state)
        behind = select(*group, literal(_BEHIND), func.count()).group_by(source)
        parts.append(by_state.where(wanted, jobs.c.state.in_(OPEN_STATES)))
        parts.append(behind.where(wanted, TRIED_AND_WAITING, jobs.c.not_before > now))
    return union_all(*parts)


def _put_under_way(found: dict[str, int], count: int) -> None:
    """Count so many of those that wait as under way."""
    found[State.QUEUED] = max(0, found.get(State.QUEUED, 0) - count)
    found[State.RUNNING] = found.get(State.RUNNING, 0) + count


def _sharing(open_runs: Sequence[Any]) -> dict[str, list[str]]:
    """Return by id those of these runs that ask for the same edits as others, and which others."""
    alike: dict[str, list[str]] = {}
    for run in open_runs:
        if run.editing is not None:
            alike.setdefault(run.editing, []).append(run.id)
    return {
        run: [other for other in group if other != run] for group in alike.values() if len(group) > 1 for run in group
    }


def _made_elsewhere(
    connection: Connection, shared: Mapping[str, Sequence[str]], counts: Mapping[Any, Mapping[str, int]]
) -> dict[str, int]:
    """Return how many waiting edits of these runs other runs have under way.

    Where far more wait than can be under way, it is as many as those have; they are counted only near the end.
    """
    found = {}
    for run_id, others in shared.items():
        waiting = counts.get(run_id, {}).get(State.QUEUED, 0)
        elsewhere = sum(counts.get(other, {}).get(State.RUNNING, 0) for other in others)
        if waiting and elsewhere:
            found[run_id] = elsewhere if waiting > elsewhere else _count_made_elsewhere(connection, run_id)
    return found


def _count_made_elsewhere(connection: Connection, run_id: str) -> int:
    waiting = (edits.c.run_id == run_id, edits.c.state == State.QUEUED, is_made_elsewhere())
    return connection.scalar(select(func.count()).select_from(edits).where(*waiting)) or 0
