"""Keeping what came of jobs while the GPU is at the next: images encoded and stored, outcomes committed, messages sent.

What has piled up is committed in one transaction. A store or a database that is away is waited for, outcomes in hand.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import structlog
from PIL import Image
from sqlalchemy import Engine

from db.decode import to_rgb
from db.environments import enter_environment
from db.images import ImageStore
from db.jobs import Claim, Done, Doorbell, EditClaim, Failure, ScoreClaim
from db.ledger import Ledger
from db.tables import State
from workers.job_ids import ids
from workers.stint.faults import failure_of
from workers.stint.outages import Outlast, at_once, may_pass
from workers.stint.perform import Made, Scored
from workers.stint.reading import STORE
from workers.stint.ringing import Ringer
from workers.stint.sightings import Sightings
from workers.tally import NOT_COUNTED, Tally

log = structlog.get_logger()

PNG_COMPRESSION = 1
"""zlib's fastest level: lossless all the same, and a megapixel takes a fifth of the time of the default."""


@dataclass(frozen=True)
class Begun:
    """Not yet an outcome: the job is under way, and will be for a while."""


Outcome = Begun | Made | Scored | Failure

Ended = tuple[Claim, Done | Failure]
"""A job, and what the ledger is to know of its end."""


class Keeper:
    """Keeps outcomes in one ledger and one store; `sightings` show the jobs in Flower, `tally` counts them."""

    def __init__(
        self,
        ledger: Ledger,
        images: ImageStore,
        ringer: Ringer,
        *,
        outlast: Outlast = at_once,
        sightings: Sightings | None = None,
        tally: Tally = NOT_COUNTED,
    ) -> None:
        self._ledger = ledger
        self._images = images
        self._ringer = ringer
        self._outlast = outlast
        self._sightings = sightings
        self._tally = tally

    def keep(self, made: Sequence[tuple[Claim, Outcome]]) -> None:
        """Store the images, commit every outcome, send the messages that they owe. Raises what cannot pass."""
        for claim, outcome in made:
            if isinstance(outcome, Begun) and self._sightings is not None:
                self._sightings.begun(claim)
        ended = [(claim, self._stored(claim, outcome)) for claim, outcome in made if not isinstance(outcome, Begun)]
        if ended:
            self._ringer.ring(self._committed(ended))
        if self._sightings is not None:
            self._sightings.send()

    def _stored(self, claim: Claim, outcome: Made | Scored | Failure) -> Done | Failure:
        """Store an image, and enter where a result came about, once by each child."""
        if isinstance(outcome, Failure):
            return outcome
        try:
            result = outcome.value if isinstance(outcome, Scored) else self._put(outcome)
        except Exception as error:  # noqa: BLE001 - the border: every fault of a job is an outcome of that job
            return failure_of(error, claim)
        facts = json.dumps(outcome.facts, sort_keys=True)
        environment = self._outlast("the ledger", lambda: _entered_environment(self._ledger.engine, facts))
        return Done(result, outcome.seconds, outcome.detail, environment)

    def _put(self, made: Made) -> str:
        png = as_png(made.image)
        return self._outlast(STORE, lambda: self._images.put(png))

    def _committed(self, ended: Sequence[Ended]) -> list[Doorbell]:
        """Commit them all at once; where that fails for one of them, each by itself."""
        try:
            return self._outlast("the ledger", lambda: self._commit(ended))
        except Exception as error:
            if len(ended) == 1 or may_pass(error):
                raise
            return [doorbell for one in ended for doorbell in self._committed([one])]

    def _commit(self, ended: Sequence[Ended]) -> list[Doorbell]:
        edited = [(one, end) for one, end in ended if isinstance(one, EditClaim) and isinstance(end, Done)]
        scored = [(one, end) for one, end in ended if isinstance(one, ScoreClaim) and isinstance(end, Done)]
        failed = [(claim, end) for claim, end in ended if isinstance(end, Failure)]
        announced = self._ringer.is_wanted
        with self._ledger.together() as ledger:
            kept_edits, doorbells = ledger.finish_edits(edited, announced=announced)
            kept_scores = ledger.finish_scores(scored)
            states = [ledger.fail(claim, failure) for claim, failure in failed]
        self._tell_done(edited, kept_edits)
        self._tell_done(scored, kept_scores)
        for (claim, failure), state in zip(failed, states, strict=True):
            self._tell_failed(claim, failure, state)
        return doorbells

    def _tell_done(self, done: Sequence[tuple[Claim, Done]], kept: Collection[int]) -> None:
        for claim, one in done:
            if claim.job_id not in kept:
                tell_lost(claim, self._tally)
                continue
            value = {"value": round(one.result, 3)} if isinstance(one.result, float) else {}
            log.info(f"{claim.stage}.done", **ids(claim), **value, seconds=round(one.seconds, 3))
            self._tally.ended(claim.stage, "done", seconds=one.seconds)
            if self._sightings is not None:
                self._sightings.succeeded(claim, one.result, one.seconds)

    def _tell_failed(self, claim: Claim, failure: Failure, state: State | None) -> None:
        if state is None:
            tell_lost(claim, self._tally)
            return
        # "queued" here means that it is tried again, "failed" that this is final
        reason = {"kind": failure.kind.value, "reason": failure.reason}
        log.warning(f"{claim.stage}.failed", **ids(claim), now=state.value, **reason)
        outcome = "retried" if state is State.QUEUED else "failed"
        self._tally.ended(claim.stage, outcome, kind=failure.kind.value)
        if self._sightings is not None:
            self._sightings.failed(claim, failure.reason, again=state is State.QUEUED)


def tell_lost(claim: Claim, tally: Tally) -> None:
    """Tell that nobody wants what came of this claim."""
    log.warning(f"{claim.stage}.refused", **ids(claim), reason="taken over or cancelled; this result is dropped")
    tally.refused(claim.stage)


def as_png(image: Image.Image) -> bytes:
    """Return the image as PNG, in RGB."""
    buffer = io.BytesIO()
    to_rgb(image).save(buffer, "PNG", compress_level=PNG_COMPRESSION)
    return buffer.getvalue()


@lru_cache(maxsize=16)
def _entered_environment(engine: Engine, facts: str) -> str:
    return enter_environment(engine, json.loads(facts))
