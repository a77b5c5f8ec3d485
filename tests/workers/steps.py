"""A claim's way through a worker without Celery: read, made, as tests need it that are about one part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from db.choice import ModelChoice
from db.images import FolderStore
from db.jobs import EditClaim, Failure, ScoreClaim
from db.tables import Stage
from tests.factories import configuration, png
from workers.models.errors import ModelFault, OutOfMemory
from workers.models.protocols import (
    EditedImage,
    EditRequest,
    OnProgress,
    OnStep,
    Rating,
    ScoreRequest,
    unobserved,
    unwatched,
)
from workers.resident import CannotLoad, Resident
from workers.stint.batch_sizes import BatchSizes
from workers.stint.perform import Made, Scored, give_scores, make_edit
from workers.stint.reading import Reader


class Hosting(Resident):
    """A resident whose model is the test's own."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def facts(self) -> dict[str, object]:
        return {"device": "test"}

    def editor(self, choice: ModelChoice) -> Any:
        if isinstance(self.model, CannotLoad):
            raise self.model
        return self.model

    scorer = editor


class Inverter:
    def edit(self, request: EditRequest) -> EditedImage:
        request.on_step(1, 1)
        return EditedImage(request.source.point(lambda value: 255 - value), {"steps": 1})


class Raising:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def edit(self, request: EditRequest) -> Image.Image:
        raise self.error

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
        raise self.error


class Answering:
    """Answers with what the test gives for each key, and notes the size of each batch."""

    def __init__(self, answers: Mapping[str, Rating | ModelFault], *, memory: int = 100) -> None:
        self.answers, self.memory, self.batches = answers, memory, [0][:0]

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
        self.batches.append(len(batch))
        if len(batch) > self.memory:
            raise OutOfMemory("too many")
        return [self.answers[request.key] for request in batch]


def edit_claim(source: str) -> EditClaim:
    return EditClaim(**_fields(Stage.EDIT, 1, "p-1", source, configuration().editor))


def score_claims(images: FolderStore, *keys: str) -> list[ScoreClaim]:
    image = images.put(png())
    scorer = configuration().scorers[0]
    return [
        ScoreClaim(
            **_fields(Stage.SCORE, number, key, image, scorer),
            description="a square",
            edited_image=image,
            reference_image=None,
        )
        for number, key in enumerate(keys)
    ]


def made(claim: EditClaim, images: FolderStore, resident: Resident, on_step: OnStep = unobserved) -> Made | Failure:
    """Read the source and make the edit."""
    return make_edit(claim, Reader(images).edit_request(claim), resident, on_step)


def scored(
    claims: Sequence[ScoreClaim],
    images: FolderStore,
    resident: Resident,
    on_progress: OnProgress = unwatched,
    sizes: BatchSizes | None = None,
) -> list[Scored | Failure]:
    """Read the images and give the scores."""
    return give_scores(claims, Reader(images).score_requests(claims), resident, on_progress, sizes)


def _fields(stage: Stage, job_id: int, key: str, source: str, model: ModelChoice) -> dict[str, Any]:
    return {
        "stage": stage,
        "job_id": job_id,
        "attempt": 1,
        "run_id": "run",
        "key": key,
        "category": "物理",
        "repeat": 0,
        "instruction": "make it rain",
        "source_image": source,
        "seed": 1,
        "model": model,
        "tried_before": False,
    }
