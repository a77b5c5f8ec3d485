"""One stretch of work of a pool child: from the message that woke it to where nothing is left for it to do.

Three things happen at once, so that the GPU does not wait: this thread has the models do one job after another; a
second one claims the next job and reads its images meanwhile; a third keeps what came of those before.
"""

from __future__ import annotations

import itertools
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError

from db.errors import first_line
from db.images import ImageStore
from db.jobs import Claim, Claimant, EditClaim, Failure, ScoreClaim
from db.ledger import Ledger
from db.outlook import Opening
from db.owner import Owner, Process
from db.tables import FailureKind, Stage
from db.timings import role_at
from db.transitions import GPU_WAIT_SECONDS
from workers.background import Background
from workers.batch_sizes import BatchSizes
from workers.job_ids import logged_as_of
from workers.keeping import Begun, Keeper, Outcome, tell_lost
from workers.models.errors import DeviceBroken, Withdrawn
from workers.outages import Outages
from workers.pace import Pace
from workers.perform import Made, Scored, give_scores, make_edit
from workers.progress import Progress
from workers.pulse import Pulse
from workers.reading import Reader
from workers.resident import CannotLoad, Resident
from workers.sightings import Sightings
from workers.supply import Block, Supply
from workers.tally import Tally

log = structlog.get_logger()

STINT_SECONDS = 300.0
"""After so long the message is acknowledged and the next one taken; far below the time limit of a task."""

UNKEPT_PIXELS, OUTCOME_PIXELS = 64_000_000, 250_000
"""So many pixels may wait to be kept, an outcome counting as so many more: images must not fill the memory."""

SHOWN_SECONDS = 1.0
"""Jobs that take longer are shown in Flower while they go on, shorter ones when they have ended."""

FIRST_WAIT_SECONDS = 0.02
"""How long a worker without work waits before it looks again, at first; then twice as long each time."""

LOOKS_WHILE_LINGERING = 5
"""How often it is looked, in the time for which a batch may fill, whether there is more to judge."""


@dataclass
class Unit:
    """What is done in one go: an edit, or scores that are judged together; with what was read for it."""

    block: Block
    claims: Sequence[Claim]
    requests: Any

    @property
    def alone(self) -> bool:
        """Whether it ended badly before: nothing else is in hand while it is tried."""
        return any(claim.tried_before for claim in self.claims)


@dataclass
class Desk:
    """What a pool child works with, for the whole of its life."""

    ledger: Ledger
    images: ImageStore
    resident: Resident
    supply: Supply
    pace: Pace
    sizes: BatchSizes
    pulse: Pulse
    progress: Progress
    outages: Outages
    keeper: Keeper
    sightings: Sightings
    tally: Tally
    me: Process
    parent: Process
    linger_seconds: float
    delivery: str = ""
    stages: frozenset[Stage] = frozenset()
    not_before_a_job: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def begin(self, delivery: str, stage: Stage) -> None:
        """A message of that stage has come; of a worker that says nothing else, it is all that is served."""
        self.delivery, self.stages = delivery, frozenset({stage})

    def claimant(self) -> Claimant:
        """Return as whom to claim next: claims made at once share an owner, so that each can be told it is gone."""
        return Claimant(Owner(self.me, f"{self.delivery}.{next(self._numbers)}", self.parent), self.supply.worker)


class Stint:
    """One stint; `end_with_the_device` is called when the GPU failed, everything in hand given back."""

    def __init__(self, desk: Desk, end_with_the_device: Callable[[DeviceBroken], None]) -> None:
        self._desk = desk
        self._end_with_the_device = end_with_the_device
        self._reader = Reader(desk.images, desk.outages.outlast)
        self._in_hand: deque[tuple[Block, Sequence[Claim]]] = deque()
        self._coming: Future[Unit | None] | None = None
        self._ended: list[tuple[Claim, Outcome]] = []
        self._background = Background(self._keep, room=UNKEPT_PIXELS, weight=_pixels)
        self._until = time.monotonic() + STINT_SECONDS

    def work(self) -> None:
        """Do one job after another until there is nothing to do, or long enough."""
        # SIGTERM ends it at once, whatever its threads wait for: the parent hands back what is in hand.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with self._desk.pulse.holding():
            try:
                with ThreadPoolExecutor(1, "ahead") as ahead, self._background:
                    try:
                        for unit in self._units(ahead):
                            self._do(unit)
                    finally:
                        self._hand_over()
                self._give_back()
            except Exception:
                self._desk.ledger.hand_back(self._desk.me, "its worker dropped it without an outcome")
                raise

    def _keep(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> None:
        self._desk.keeper.keep(outcomes)
        with suppress(DBAPIError):  # it is written with what comes next
            self._desk.pace.write(self._desk.ledger)

    # -- what is next --------------------------------------------------------------------------------------------------

    def _units(self, ahead: ThreadPoolExecutor) -> Iterator[Unit]:
        """Yield what is to be done, read while the one before it was done.

        Where that could not be, the GPU waits, and the next is claimed before the one that ended is kept.
        """
        while True:
            unit = self._came()
            if not self._stages():
                self._return(unit)
                return
            unit = unit or self._next(ahead=False)
            self._hand_over()
            if unit is None:
                if not self._waits_for_more():
                    return
                continue
            if unit.alone:
                self._keep_all()
            else:
                self._coming = ahead.submit(self._next, ahead=True)
            yield unit

    def _came(self) -> Unit | None:
        """Return what was claimed ahead, read by now; None when nothing was."""
        coming, self._coming = self._coming, None
        return coming.result() if coming is not None else None

    def _next(self, *, ahead: bool) -> Unit | None:
        """Return the next unit, its images read; None when there is none, or none that may be claimed yet."""
        if not self._in_hand:
            self._claim(ahead=ahead)
        if not self._in_hand:
            return None
        block, claims = self._in_hand.popleft()
        with logged_as_of(claims):
            return Unit(block, claims, self._read(claims))

    def _read(self, claims: Sequence[Claim]) -> Any:
        first = claims[0]
        if isinstance(first, EditClaim):
            return self._reader.edit_request(first)
        return self._reader.score_requests([one for one in claims if isinstance(one, ScoreClaim)])

    def _claim(self, *, ahead: bool) -> None:
        desk, stages = self._desk, self._stages()
        if not stages or time.monotonic() >= self._until:
            return
        if not ahead:
            self._linger(stages)
        block = desk.outages.outlast("the ledger", lambda: desk.supply.take(stages, desk.claimant(), ahead=ahead))
        if block is None:
            return
        size = (
            1 if block.opening.stage is Stage.EDIT else desk.sizes.limit(block.opening.model, block.opening.batch_size)
        )
        for start in range(0, len(block.claims), size):
            self._in_hand.append((block, block.claims[start : start + size]))

    def _linger(self, stages: frozenset[Stage]) -> None:
        """Wait a moment for the rest of a batch, to which what has just ended may belong."""
        supply, linger = self._desk.supply, self._desk.linger_seconds
        until = time.monotonic() + linger
        while self._desk.outages.outlast("the ledger", lambda: supply.is_filling(stages)) and time.monotonic() < until:
            self._hand_over()
            time.sleep(max(FIRST_WAIT_SECONDS, linger / LOOKS_WHILE_LINGERING))
            supply.forget()

    def _stages(self) -> frozenset[Stage]:
        """Return the stages to serve now; none when it is told to end."""
        told = self._desk.pulse.stages()
        return self._desk.stages if told is None else told

    def _waits_for_more(self) -> bool:
        """With nothing to do, wait for what others may leave to this worker; False when there will be nothing.

        A worker of one stage need not wait: a message wakes it. One that serves both may be needed at either.
        """
        desk = self._desk
        self._keep_all()
        desk.outages.outlast("the ledger", desk.supply.rest)
        wait = FIRST_WAIT_SECONDS
        while len(stages := self._stages()) > 1 and time.monotonic() < self._until:
            desk.supply.forget()
            if not desk.outages.outlast("the ledger", partial(desk.supply.has_more_to_come, stages)):
                return False
            if (opening := desk.supply.model_to_come()) is not None:
                self._load(opening)
            with desk.pulse.patient():
                time.sleep(wait)
            wait = min(2 * wait, desk.supply.longest_wait())
            self._claim(ahead=False)
            if self._in_hand:
                return True
        return False

    # -- doing it ------------------------------------------------------------------------------------------------------

    def _do(self, unit: Unit) -> None:
        desk, opening, first = self._desk, unit.block.opening, unit.claims[0]
        desk.pulse.begin(unit.block.claimant.owner.delivery, f"{first.stage} {first.job_id}")
        desk.progress.begin(
            desk.sightings.of(first.stage, first.job_id, first.attempt), model=first.model.label, key=first.key
        )
        seconds = len(unit.claims) * opening.timing.seconds / desk.pace.pace
        desk.pace.begins(seconds)
        if seconds >= SHOWN_SECONDS:
            for claim in unit.claims:
                self._background.put((claim, Begun()))
        try:
            # Arithmetic on pixels, or a server that is waited for: what runs on no GPU cannot hang there.
            with logged_as_of(unit.claims), nullcontext() if opening.fills_gpu else desk.pulse.patient():
                outcomes = self._outcomes(unit)
        except Withdrawn:
            self._drop(unit)
        except DeviceBroken as error:
            self._break_off(unit, error)
        else:
            self._measure(unit, outcomes)
            self._ended.extend(zip(unit.claims, outcomes, strict=True))
            if unit.alone:
                self._keep_all()
        finally:
            self._note_resident(opening)
            desk.pulse.end()

    def _outcomes(self, unit: Unit) -> Sequence[Outcome]:
        desk, first = self._desk, unit.claims[0]
        if isinstance(first, EditClaim):
            return [make_edit(first, unit.requests, desk.resident, desk.progress.step)]
        desk.progress.show("scoring")
        scores = [claim for claim in unit.claims if isinstance(claim, ScoreClaim)]
        return give_scores(scores, unit.requests, desk.resident, desk.progress.beat, desk.sizes)

    def _measure(self, unit: Unit, outcomes: Sequence[Outcome]) -> None:
        desk, opening = self._desk, unit.block.opening
        full = len(unit.claims) >= opening.batch_size
        took = [outcome.seconds for outcome in outcomes if isinstance(outcome, Made | Scored)]
        if took:
            desk.pace.did(opening, sum(took) / len(took), full=full)

    def _note_resident(self, opening: Opening) -> None:
        """Know what is on the GPU now, and what it took to come there."""
        desk = self._desk
        if (seconds := desk.resident.took_to_load()) is not None:
            desk.pace.loaded(opening.key, seconds)
        elif not desk.resident.has_model:
            desk.pace.resident = None

    def _load(self, opening: Opening) -> None:
        """Have the model ready before there is a job for it; that it cannot be had is for its first job to find out."""
        desk = self._desk
        if opening.key in desk.not_before_a_job:
            return
        desk.progress.begin(desk.sightings.of(opening.stage, 0, 0), model=opening.model.label, key="")
        with desk.pulse.loading() as is_safe:
            if not is_safe:  # loading it has ended a process: it must be some job's attempt
                desk.not_before_a_job.add(opening.key)
                return
            try:
                desk.resident.load(role_at(opening.stage), opening.model)
                desk.progress.waits("ready")
            except CannotLoad as error:
                desk.not_before_a_job.add(opening.key)
                log.info("model.not_ready", model=opening.model.label, reason=first_line(error))
            except DeviceBroken as error:
                self._give_back()
                self._end_with_the_device(error)
            finally:
                self._note_resident(opening)

    def _drop(self, unit: Unit) -> None:
        """Let go of what nobody wants any more; what is still ours of it goes back as if it had not been begun."""
        for claim in unit.claims:
            tell_lost(claim, self._desk.tally)
        self._release(unit.claims)

    def _break_off(self, unit: Unit, error: DeviceBroken) -> None:
        """Hand back what is in hand, this unit with a wait, so that another GPU takes it or this one shows itself."""
        reason = f"the GPU of {unit.claims[0].stage} {unit.claims[0].job_id} failed: {error}"
        failure = Failure(FailureKind.POISON, reason, again=True, wait_seconds=GPU_WAIT_SECONDS)
        self._ended.extend((claim, failure) for claim in unit.claims)
        self._keep_all()
        self._give_back()
        with logged_as_of(unit.claims):
            self._end_with_the_device(error)

    # -- giving back ---------------------------------------------------------------------------------------------------

    def _return(self, unit: Unit | None) -> None:
        if unit is not None:
            self._in_hand.appendleft((unit.block, unit.claims))

    def _give_back(self) -> None:
        """Hand back what was claimed and not begun."""
        self._return(self._came())
        self._release([claim for _, claims in self._in_hand for claim in claims])
        self._in_hand.clear()

    def _release(self, claims: Sequence[Claim]) -> None:
        if claims:
            self._desk.outages.outlast("the ledger", lambda: self._desk.ledger.release_unbegun(claims))

    def _hand_over(self) -> None:
        """Have what ended kept, meanwhile."""
        for ended in self._ended:
            self._background.put(ended)
        self._ended.clear()

    def _keep_all(self) -> None:
        """Wait until what ended is kept."""
        self._hand_over()
        with self._desk.pulse.patient():
            self._background.wait()


def _pixels(kept: tuple[Claim, Outcome]) -> int:
    _, outcome = kept
    return OUTCOME_PIXELS + (outcome.image.width * outcome.image.height if isinstance(outcome, Made) else 0)
