"""Keeping what came of jobs while the GPU is at the next: images encoded and stored, outcomes committed, messages sent.

What has piled up is committed in one transaction. A store or a database that is away is waited for, outcomes in hand.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import structlog
from PIL import Image
from sqlalchemy import Engine

from db.decode import to_rgb
from db.doorbells import Send, ring
from db.environments import enter_environment
from db.images import ImageStore
from db.jobs import Claim, Doorbell, EditClaim, Failure, ScoreClaim
from db.ledger import Ledger
from db.tables import State
from workers.faults import failure_of
from workers.outages import Outlast, at_once, may_pass
from workers.perform import Made, Scored
from workers.reading import STORE
from workers.sightings import Sightings

log = structlog.get_logger()

PNG_COMPRESSION = 1
"""zlib's fastest level: lossless all the same, and a megapixel takes a fifth of the time of the default."""


@dataclass(frozen=True)
class Edited:
    """An edit whose image is stored: `image` is its digest, the rest as in `Made`."""

    image: str
    seconds: float
    detail: Mapping[str, object]
    facts: Mapping[str, object]


@dataclass(frozen=True)
class Begun:
    """Not yet an outcome: the job is under way, and will be for a while."""


Outcome = Begun | Made | Edited | Scored | Failure


class Keeper:
    """Keeps outcomes in one ledger and one store.

    `patient` is entered while a broker may be waited for; `sightings` show the jobs in Flower.
    """

    def __init__(
        self,
        ledger: Ledger,
        images: ImageStore,
        send: Send,
        *,
        outlast: Outlast = at_once,
        patient: Callable[[], AbstractContextManager[None]] = nullcontext,
        sightings: Sightings | None = None,
    ) -> None:
        self._ledger = ledger
        self._images = images
        self._send = send
        self._outlast = outlast
        self._patient = patient
        self._sightings = sightings

    def keep(self, made: Sequence[tuple[Claim, Outcome]]) -> None:
        """Store the images, commit every outcome, send the messages that they owe. Raises what cannot pass."""
        for claim, outcome in made:
            if isinstance(outcome, Begun) and self._sightings is not None:
                self._sightings.begun(claim)
        ended = [(claim, outcome) for claim, outcome in made if not isinstance(outcome, Begun)]
        if ended:
            self._send_all(self._committed([(claim, self._stored(claim, outcome)) for claim, outcome in ended]))
        if self._sightings is not None:
            self._sightings.send()

    def _send_all(self, doorbells: Sequence[Doorbell]) -> None:
        try:
            with self._patient():  # a frozen broker
                ring(self._ledger, doorbells, self._send)
        except Exception as error:  # noqa: BLE001 - kombu raises many things for a broker that is gone; it is owed again
            log.warning("score.message_owed", messages=len(doorbells), reason=str(error))

    def _stored(self, claim: Claim, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Made):
            return outcome
        try:
            png = as_png(outcome.image)
            digest = self._outlast(STORE, lambda: self._images.put(png))
            return Edited(digest, outcome.seconds, outcome.detail, outcome.facts)
        except Exception as error:  # noqa: BLE001 - the border: every fault of a job is an outcome of that job
            return failure_of(error, claim)

    def _committed(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> list[Doorbell]:
        """Commit them all at once; where that fails for one of them, each by itself."""
        try:
            return self._outlast("the ledger", lambda: self._commit(outcomes))
        except Exception as error:
            if len(outcomes) == 1 or may_pass(error):
                raise
            return [doorbell for one in outcomes for doorbell in self._committed([one])]

    def _commit(self, outcomes: Sequence[tuple[Claim, Outcome]]) -> list[Doorbell]:
        doorbells: list[Doorbell] = []
        tell: list[Callable[[], None]] = []
        beside = [self._beside(outcome) for _, outcome in outcomes]
        with self._ledger.together() as ledger:
            for (claim, outcome), more in zip(outcomes, beside, strict=True):
                match claim, outcome:
                    case EditClaim(), Edited():
                        owed = ledger.finish_edit(claim, outcome.image, **more)
                        doorbells.extend(owed or ())
                        kept = owed is not None
                    case ScoreClaim(), Scored():
                        kept = ledger.finish_score(claim, outcome.value, **more)
                    case _, Failure():
                        state = ledger.fail(claim, outcome)
                        tell.append(partial(self._tell_failed, claim, outcome, state))
                        continue
                    case _:
                        raise TypeError(f"{type(outcome).__name__} is no outcome of {type(claim).__name__}")
                tell.append(partial(self._tell_done, claim, outcome) if kept else partial(tell_lost, claim))
        for line in tell:
            line()
        return doorbells

    def _beside(self, outcome: Outcome) -> dict[str, Any]:
        """Return what the ledger keeps beside a result; its environment is entered first, once by each child."""
        if not isinstance(outcome, Edited | Scored):
            return {}
        environment = _entered_environment(self._ledger.engine, json.dumps(outcome.facts, sort_keys=True))
        return {"seconds": outcome.seconds, "detail": outcome.detail, "environment": environment}

    def _tell_done(self, claim: Claim, outcome: Edited | Scored) -> None:
        value = {"value": round(outcome.value, 3)} if isinstance(outcome, Scored) else {}
        log.info(f"{claim.stage}.done", **ids(claim), **value, seconds=round(outcome.seconds, 3))
        if self._sightings is not None:
            result = outcome.image if isinstance(outcome, Edited) else outcome.value
            self._sightings.succeeded(claim, result, outcome.seconds)

    def _tell_failed(self, claim: Claim, failure: Failure, state: State | None) -> None:
        if state is None:
            tell_lost(claim)
            return
        # "queued" here means that it is tried again, "failed" that this is final
        reason = {"kind": failure.kind.value, "reason": failure.reason}
        log.warning(f"{claim.stage}.failed", **ids(claim), now=state.value, **reason)
        if self._sightings is not None:
            self._sightings.failed(claim, failure.reason, again=state is State.QUEUED)


def tell_lost(claim: Claim) -> None:
    """Log that nobody wants what came of this claim."""
    log.warning(f"{claim.stage}.refused", **ids(claim), reason="taken over or cancelled; this result is dropped")


def ids(claim: Claim) -> dict[str, Any]:
    """Return what a line of the log begins with."""
    return {"id": claim.job_id, "run": claim.run_id, "sample": claim.key, "attempt": claim.attempt}


def as_png(image: Image.Image) -> bytes:
    """Return the image as PNG, in RGB."""
    buffer = io.BytesIO()
    to_rgb(image).save(buffer, "PNG", compress_level=PNG_COMPRESSION)
    return buffer.getvalue()


@lru_cache(maxsize=16)
def _entered_environment(engine: Engine, facts: str) -> str:
    return enter_environment(engine, json.loads(facts))
