"""A stint of a pool child: job after job, from the message that woke it to where nothing is left for it to do.

Three things happen at once, so that the GPU does not wait: this thread has the models do one job after another; a
second one claims the next job and reads its images meanwhile; a third keeps what came of those before.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from functools import partial

import structlog
from sqlalchemy.exc import DBAPIError

from db.errors import first_line
from db.jobs import Claim, EditClaim, Failure, ScoreClaim
from db.outlook import Opening
from db.tables import FailureKind
from db.timings import role_at
from db.transitions import GPU_WAIT_SECONDS
from workers.job_ids import logged_as_of
from workers.models.errors import DeviceBroken, Withdrawn
from workers.resident import CannotLoad
from workers.stint.background import Background
from workers.stint.desk import Desk
from workers.stint.in_hand import FIRST_WAIT_SECONDS, InHand, Unit
from workers.stint.keeping import Begun, Outcome, tell_lost
from workers.stint.perform import Made, Scored, give_scores, make_edit

log = structlog.get_logger()

UNKEPT_PIXELS, OUTCOME_PIXELS = 64_000_000, 250_000
"""So many pixels may wait to be kept, an outcome counting as so many more: images must not fill the memory."""

SHOWN_SECONDS = 1.0
"""Jobs that take longer are shown in Flower while they go on, shorter ones when they have ended."""


class Stint:
    """One stint; `end_with_the_device` is called when the GPU failed, everything in hand given back."""

    def __init__(self, desk: Desk, end_with_the_device: Callable[[DeviceBroken], None]) -> None:
        self._desk = desk
        self._end_with_the_device = end_with_the_device
        self._in_hand = InHand(desk, self._hand_over)
        self._ended: list[tuple[Claim, Outcome]] = []
        self._background = Background(self._keep, room=UNKEPT_PIXELS, weight=_pixels)

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
                self._in_hand.give_back()
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
            unit = self._in_hand.came()
            if not self._desk.stages():
                self._in_hand.put_back(unit)
                return
            unit = unit or self._in_hand.next()
            self._hand_over()
            if unit is None:
                if not self._waits_for_more():
                    return
                continue
            if unit.alone:
                self._keep_all()
            else:
                self._in_hand.read_ahead(ahead)
            yield unit

    def _waits_for_more(self) -> bool:
        """With nothing to do, wait for what others may leave to this worker; False when there will be nothing.

        A worker of one stage need not wait: a message wakes it. One that serves both may be needed at either.
        """
        desk = self._desk
        self._keep_all()
        desk.outages.outlast("the ledger", desk.supply.rest)
        wait = FIRST_WAIT_SECONDS
        while len(stages := desk.stages()) > 1 and self._in_hand.may_claim:
            desk.supply.forget()
            if not desk.outages.outlast("the ledger", partial(desk.supply.has_more_to_come, stages)):
                return False
            if (opening := desk.supply.model_to_come()) is not None:
                self._load(opening)
            with desk.pulse.patient():
                time.sleep(wait)
            wait = min(2 * wait, desk.supply.longest_wait())
            if self._in_hand.claim(ahead=False):
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
                self._in_hand.give_back()
                self._end_with_the_device(error)
            finally:
                self._note_resident(opening)

    def _drop(self, unit: Unit) -> None:
        """Let go of what nobody wants any more; what is still ours of it goes back as if it had not been begun."""
        for claim in unit.claims:
            tell_lost(claim, self._desk.tally)
        self._in_hand.release(unit.claims)

    def _break_off(self, unit: Unit, error: DeviceBroken) -> None:
        """Hand back what is in hand, this unit with a wait, so that another GPU takes it or this one shows itself."""
        reason = f"the GPU of {unit.claims[0].stage} {unit.claims[0].job_id} failed: {error}"
        failure = Failure(FailureKind.POISON, reason, again=True, wait_seconds=GPU_WAIT_SECONDS)
        self._ended.extend((claim, failure) for claim in unit.claims)
        self._keep_all()
        self._in_hand.give_back()
        with logged_as_of(unit.claims):
            self._end_with_the_device(error)

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
