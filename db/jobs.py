"""The small records that pass between the ledger and those who work for it."""

from __future__ import annotations

from dataclasses import dataclass

from db.configuration import ModelChoice
from db.tables import FailureKind, Stage


@dataclass(frozen=True)
class Doorbell:
    """A message to send: which job waits, and how urgent its run is."""

    stage: Stage
    job_id: int
    priority: str


@dataclass(frozen=True)
class Claim:
    """The right to write one outcome of one job, as long as its attempt is still the newest, and what the job needs.

    Images are digests in the image store.
    """

    stage: Stage
    job_id: int
    attempt: int
    run_id: str
    key: str
    category: str
    repeat: int
    instruction: str
    source_image: str
    seed: int
    model: ModelChoice


@dataclass(frozen=True)
class EditClaim(Claim):
    """One edit to make; `model` is the editor."""


@dataclass(frozen=True)
class ScoreClaim(Claim):
    """One score to give; `model` is the scorer."""

    edited_image: str
    reference_image: str | None


@dataclass(frozen=True)
class Failure:
    """Why a job has no result. `again`: the cause may pass, so the attempts left are used, after a wait."""

    kind: FailureKind
    reason: str
    again: bool = False
