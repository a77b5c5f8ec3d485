"""Which stage a worker should serve that could serve both: a pure function of what is left and who is there.

Times are in seconds from now. Work is in seconds of a worker of pace 1; one of pace v does v seconds of it in one. A
worker that changes sides counts from the end of its swap on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from db.tables import Stage

MARGIN = 0.01
"""By this share the end must come earlier for a worker to change sides: with less, two of them would flap."""

SHORT_SWAP = 0.02
"""A swap that takes a smaller share of what is left is not worth forethought: who has nothing to do changes."""


@dataclass(frozen=True)
class Place:
    """A worker as others see it: at which stage, how fast, and in how many seconds it is ready for its next job.

    `ready_in` is the rest of a swap and, for who is at a job, of that job. `idle`: it found nothing to do and stayed.
    `fixed`: it serves no other stage.
    """

    stage: Stage
    pace: float = 1.0
    ready_in: float = 0.0
    idle: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Work:
    """What is left, in seconds: edits that wait, scores not yet given (those of edits to come among them).

    `edits_waiting` and `scores_waiting` are the numbers of jobs that may start now; `edit_seconds` is one edit,
    `batch_seconds` one full batch of scores of `batch_size`, `swap_seconds` the change from one model to the other.
    """

    edits: float
    scores: float
    edits_waiting: int
    scores_waiting: int
    edit_seconds: float
    batch_seconds: float
    batch_size: int
    swap_seconds: float

    def waiting(self, stage: Stage) -> int:
        """Return how many jobs of that stage may start now."""
        return self.edits_waiting if stage is Stage.EDIT else self.scores_waiting

    def left(self, stage: Stage) -> float:
        """Return the seconds of that stage that are left."""
        return self.edits if stage is Stage.EDIT else self.scores

    def unit(self, stage: Stage) -> float:
        """Return the seconds of what is done in one go."""
        return self.edit_seconds if stage is Stage.EDIT else self.batch_seconds


def other(stage: Stage) -> Stage:
    """Return the stage that this one is not."""
    return Stage.SCORE if stage is Stage.EDIT else Stage.EDIT


def best_stage(me: Place, others: Sequence[Place], work: Work) -> Stage:
    """Return the stage that this worker, now between two jobs, should serve next.

    It changes when the whole run then ends earlier, by MARGIN or more; never away from a stage whose work nobody else
    would do, and never to where nothing is to be had. One worker may decide at a time: each must see what the one
    before it has decided.
    """
    there = other(me.stage)
    if me.fixed or work.left(there) <= 0:
        return me.stage
    changes = _leaves_work if work.waiting(me.stage) else _has_nothing
    return there if changes(me, others, work) else me.stage


def _has_nothing(me: Place, others: Sequence[Place], work: Work) -> bool:
    """With its own queue empty it changes when the others would need longer there than its swap and one unit."""
    there = other(me.stage)
    alone = seconds_for(work.left(there), _at(there, others))
    if alone <= work.swap_seconds + work.unit(there) / me.pace:
        return False
    if me.stage is Stage.EDIT:
        return work.scores_waiting > 0
    return work.edits_waiting > 0 and _ends_earlier(me, others, work)


def _leaves_work(me: Place, others: Sequence[Place], work: Work) -> bool:
    """With edits waiting it leaves them at the latest moment at which that does not delay the end."""
    editors, scorers = _at(Stage.EDIT, others), _at(Stage.SCORE, others)
    if me.stage is Stage.SCORE or not editors or work.scores_waiting < work.batch_size:
        return False
    if work.swap_seconds < SHORT_SWAP * finish([me, *others], work):
        return False
    arrived = replace(me, stage=Stage.SCORE, ready_in=work.swap_seconds)
    if seconds_for(work.scores, [*scorers, arrived]) < seconds_for(work.edits, editors):
        return False
    return _ends_earlier(me, others, work)


def _ends_earlier(me: Place, others: Sequence[Place], work: Work) -> bool:
    changed = replace(me, stage=other(me.stage), ready_in=work.swap_seconds, idle=False)
    return finish([changed, *others], work) < (1 - MARGIN) * finish([me, *others], work)


def worth_beginning(me: Place, others: Sequence[Place], work: Work) -> bool:
    """Tell whether this worker should begin an edit: not when the others together end all of them before it ends one.

    At the end of a run a slow card would make all wait for it.
    """
    if work.edit_seconds <= 0:
        return True
    mine = work.edit_seconds / me.pace
    editors = [place for place in _at(Stage.EDIT, others) if place.pace > me.pace and not place.idle]
    left_to_each = [max(0.0, mine - place.ready_in) * place.pace for place in editors]
    return sum(math.floor(seconds / work.edit_seconds) for seconds in left_to_each) < work.edits_waiting


# -- when it ends ------------------------------------------------------------------------------------------------------


def finish(places: Sequence[Place], work: Work) -> float:
    """Return in how many seconds everything is done: the edits, then what scores are left, which editors join in."""
    editors = [place for place in _at(Stage.EDIT, places) if not place.idle]
    scorers = _at(Stage.SCORE, places)
    edited = seconds_for(work.edits, editors)
    if math.isinf(edited) or work.scores <= 0:
        return edited
    rest = max(work.scores - _done_within(edited, scorers), work.batch_seconds)
    late = [replace(place, ready_in=max(0.0, place.ready_in - edited)) for place in scorers]
    joining = [replace(place, ready_in=work.swap_seconds) for place in editors if not place.fixed]
    return edited + min(seconds_for(rest, late), seconds_for(rest, [*late, *joining]))


def first_stage(me: Place, unsettled: Sequence[Place], settled: Sequence[Place], work: Work) -> Stage:
    """Return with which stage a worker without a model should begin; `unsettled` are those that decide after it.

    As a scorer only where there is an edit for each of them: who is not woken does not decide.
    """
    if len(unsettled) >= work.edits_waiting > 0:
        return Stage.EDIT
    return Stage.SCORE if first_scorers([*unsettled, me], settled, work) else Stage.EDIT


def first_scorers(free: Sequence[Place], settled: Sequence[Place], work: Work) -> int:
    """Return how many of the free workers, all without a model yet, should begin as scorers: the last so many.

    So that it ends the soonest; where nobody ever idles if enough of them begin as editors, as many as keep busy.
    """
    editors = len(_at(Stage.EDIT, settled))
    editing = [replace(place, stage=Stage.EDIT) for place in free]
    scoring = [replace(place, stage=Stage.SCORE) for place in free]
    counts = [count for count in range(len(free) + 1) if work.edits <= 0 or editors + len(free) > count]

    def end(scorers: int) -> float:
        begin_as_editors = len(free) - scorers
        return finish([*settled, *editing[:begin_as_editors], *scoring[begin_as_editors:]], work)

    best = min(counts, key=end)
    mixed = (work.edits + work.scores + work.swap_seconds) / sum(place.pace for place in (*settled, *free))
    if mixed >= end(best):
        return best
    there = sum(place.pace for place in _at(Stage.SCORE, settled))
    paces = [place.pace for place in free]
    busy = [count for count in counts if (there + sum(paces[len(paces) - count :])) * mixed <= work.scores]
    return max(busy, default=0)


def seconds_for(work: float, places: Sequence[Place]) -> float:
    """Return when these workers together have done so many seconds of work: infinite when there is none of them."""
    if work <= 0:
        return 0.0
    pace = head_start = 0.0
    in_order = sorted(places, key=lambda place: place.ready_in)
    for place, following in zip_longest(in_order, in_order[1:]):
        pace += place.pace
        head_start += place.pace * place.ready_in
        end = (work + head_start) / pace
        if following is None or end <= following.ready_in:
            return end
    return math.inf


def _done_within(seconds: float, places: Sequence[Place]) -> float:
    return sum(place.pace * max(0.0, seconds - place.ready_in) for place in places)


def _at(stage: Stage, places: Sequence[Place]) -> list[Place]:
    return [place for place in places if place.stage is stage]
