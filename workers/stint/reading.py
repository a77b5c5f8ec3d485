"""Reading what a job needs from the image store, checked and decoded, while the GPU is at the job before it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from db.aggregate import read_aggregate
from db.decode import decode_image
from db.images import ImageSource
from db.jobs import EditClaim, Failure, ScoreClaim
from workers.models.protocols import EditRequest, ScoreRequest
from workers.stint.faults import failure_of
from workers.stint.outages import Outlast, at_once

STORE = "the image store"
"""What is waited for, in words."""


class Reader:
    """Reads from one store; where that cannot be read for a while, it is waited for."""

    def __init__(self, images: ImageSource, outlast: Outlast = at_once) -> None:
        self._images = images
        self._outlast = outlast

    def edit_request(self, claim: EditClaim) -> EditRequest | Failure:
        """Return the edit to make, or why its source cannot be had. Raises DeviceBroken."""
        try:
            return EditRequest(
                key=claim.key,
                instruction=claim.instruction,
                source=self._decoded(claim.source_image),
                more_sources=tuple(map(self._decoded, claim.more_sources)),
                seed=claim.seed,
            )
        except Exception as error:  # noqa: BLE001 - the border: every fault of a job is an outcome of that job
            return failure_of(error, claim)

    def score_requests(self, claims: Sequence[ScoreClaim]) -> list[ScoreRequest | Failure]:
        """Return the score to give for each claim, or why not: one unreadable image must not fail its batch."""
        return [self._score_request(claim) for claim in claims]

    def _score_request(self, claim: ScoreClaim) -> ScoreRequest | Failure:
        try:
            return ScoreRequest(
                key=claim.key,
                category=claim.category,
                instruction=claim.instruction,
                description=claim.description,
                source=self._decoded(claim.source_image),
                more_sources=tuple(map(self._decoded, claim.more_sources)),
                edited=self._decoded(claim.edited_image),
                reference=self._decoded(claim.reference_image) if claim.reference_image else None,
                reference_text=claim.reference_text,
                fields=claim.fields,
                seed=claim.seed,
                aggregate=read_aggregate(claim.aggregate) if claim.aggregate else None,
            )
        except Exception as error:  # noqa: BLE001 - the border, as above
            return failure_of(error, claim)

    def _decoded(self, digest: str) -> Image.Image:
        return decode_image(self._outlast(STORE, lambda: self._images.get(digest)))
