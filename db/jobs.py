"""The small records that pass between the ledger and those who work for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from db.choice import ModelChoice
from db.owner import Owner
from db.tables import FailureKind, Stage, State


@dataclass(frozen=True)
class Doorbell:
    """A message to send: which job waits, and how urgent its run is.

    `again`: the job was begun before and goes in front of those of its priority that were not.
    """

    stage: Stage
    job_id: int
    priority: str
    again: bool = False


@dataclass(frozen=True)
class Claimant:
    """Who claims: the process with its delivery, and the name of its worker."""

    owner: Owner
    worker: str


@dataclass(frozen=True)
class Claim:
    """The right to write one outcome of one job, as long as its attempt is still the newest, and what the job needs.

    Images are digests in the image store; most samples have one source image and no `more_sources`. `tried_before`: an
    attempt ended without an outcome.
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
    tried_before: bool
    more_sources: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class EditClaim(Claim):
    """One edit to make; `model` is the editor."""


@dataclass(frozen=True)
class ScoreClaim(Claim):
    """One score to give; `model` is the scorer, `aggregate` what makes a score of its criteria, where it has some."""

    description: str | None
    edited_image: str
    reference_image: str | None
    aggregate: str | None = None
    reference_text: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """A job's result, the digest of an edit's image or the value of a score, and what is kept beside it.

    `seconds` is the time that the model took, `detail` what else it said (JSON values), `environment` the id of where
    that was.
    """

    result: str | float
    seconds: float
    detail: Mapping[str, object] | None = None
    environment: str | None = None


@dataclass(frozen=True)
class Failure:
    """Why a job has no result. `again`: the cause may pass, so the attempts left are used, after a wait; `wait_seconds`
    are added to it.

    `detail` is what else is known (JSON values), such as a judge's reply that could not be read.
    """

    kind: FailureKind
    reason: str
    again: bool = False
    wait_seconds: float = 0
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class HandedBack:
    """A claim that ended without an outcome of its own, and why; `state` is where its job stands now.

    `lease_expired`: nobody knew that its process had ended, nobody had renewed it in time either.
    """

    stage: Stage
    job_id: int
    attempt: int
    run_id: str
    key: str
    state: State
    reason: str
    lease_expired: bool = False
