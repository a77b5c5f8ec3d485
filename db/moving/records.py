"""The rows of a run that moves, as records in natural keys: what is read of a stranger's archive is held to them.

What the ledger holds to by constraints is checked here, too: an archive is refused before anything of it is entered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from db.choice import IMPORTED
from db.configuration import digest_of_values, editing_digest_of
from db.imported import imported_run_id
from db.intake import stored_run_id
from db.recipe import FollowedRecipe
from db.rubric import Rubric
from db.tables import ATTEMPTS_ALLOWED, State


def _printable(label: str) -> str:
    if not label.isprintable():
        raise ValueError("a label holds what cannot be printed")
    return label


Label = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_printable)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Digests = Annotated[str, Field(pattern="^([0-9a-f]{64}( [0-9a-f]{64})*)?$")]
RunId = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Seconds = Annotated[float, Field(ge=0)]
Time = Annotated[float, Field(ge=0, lt=253_402_300_800, description="since the epoch; before the year 10,000")]


class Record(BaseModel):
    """Values as JSON has them, of just these types and names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Model(Record):
    """An editor, or a scorer; which options it takes is its catalogue's affair."""

    name: Label
    label: Label
    options: Mapping[str, Any]
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1

    @model_validator(mode="after")
    def _rubric_is_one(self) -> Self:
        if self.options.get("rubric") is not None:
            Rubric.model_validate(self.options["rubric"])
        return self


class _Configuration(Record):
    """What every reader of a run's configuration relies on."""

    model_config = ConfigDict(extra="allow")

    editor: _Model
    scorers: Annotated[list[_Model], Field(min_length=1)]
    repeats: Annotated[int, Field(ge=1, le=1000)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    limit: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    categories: list[str] | None = None
    sample_every: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    aggregate: str | None = None


def _model(given: dict[str, Any]) -> dict[str, Any]:
    """Return a model as it is, once it is known to be one."""
    _Model.model_validate(given)
    return given


def _configuration(given: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as it is, once it is known to be one."""
    _Configuration.model_validate(given)
    if given.get("recipe") is not None:
        FollowedRecipe.model_validate(given["recipe"])
    return given


class MovedBenchmark(Record):
    """A benchmark, without its samples."""

    id: Digest
    name: str
    sample_count: Count


class MovedScorer(Record):
    """One asking of a scorer: `repeat` counts how often it was asked before."""

    label: Label
    repeat: Count = 0
    configuration: Annotated[dict[str, Any], AfterValidator(_model)]
    batch_size: Annotated[int, Field(ge=1, lt=2**31)]
    scale_min: float
    scale_max: float

    @model_validator(mode="after")
    def _scale_is_one(self) -> Self:
        if not self.scale_min < self.scale_max:
            raise ValueError("the least score is not below the best one")
        return self


class MovedRun(Record):
    """A run with its benchmark, its scorers in the order they were asked for, and where its outcomes came about."""

    id: RunId
    configuration: Annotated[dict[str, Any], AfterValidator(_configuration)]
    priority: Annotated[str, Field(pattern="^(low|normal|high)$")]
    editing: Digest | None = None
    created_at: Time
    prompts: dict[str, Any] | None = None
    benchmark: MovedBenchmark
    scorers: Annotated[list[MovedScorer], Field(min_length=1)]
    environments: dict[Digest, dict[str, Any]]

    @model_validator(mode="after")
    def _is_called_by_its_content(self) -> Self:
        """Refuse a run that another farm would know as the answer to something else."""
        named = imported_run_id if self.configuration["editor"]["name"] == IMPORTED else stored_run_id
        if self.id != named(self.benchmark.id, self.configuration):
            raise ValueError("its id is not that of its benchmark and configuration")
        if self.editing not in (None, editing_digest_of(self.configuration)):
            raise ValueError("editing is not the digest of its editor and seed")
        return self

    @model_validator(mode="after")
    def _environments_are_called_by_their_facts(self) -> Self:
        for name, facts in self.environments.items():
            if name != digest_of_values(facts):
                raise ValueError(f"environment {name} is not the digest of its facts")
        return self

    @model_validator(mode="after")
    def _scorers_differ(self) -> Self:
        if len({(one.label, one.repeat) for one in self.scorers}) < len(self.scorers):
            raise ValueError("two scorers are called alike")
        return self


class MovedSample(Record):
    """A sample of the benchmark: columns of `samples`."""

    position: Count
    key: str
    category: str
    instruction: str
    description: str | None = None
    source_image: Digest
    reference_image: Digest | None = None
    reference_text: str | None = None
    more_sources: Digests = ""
    fields: dict[str, Any] | None = None

    def images(self) -> list[str]:
        """Return the digests of its images."""
        reference = [] if self.reference_image is None else [self.reference_image]
        return [self.source_image, *self.more_sources.split(), *reference]


class _MovedJob(Record):
    """What edits and scores have in common; who held a claim stays where it was held."""

    state: Annotated[str, Field(pattern=f"^({'|'.join(State)})$")]
    attempt: Count = 0
    attempts_allowed: Count = ATTEMPTS_ALLOWED
    not_before: Time
    worker: str | None = None
    started_at: Time | None = None
    finished_at: Time | None = None
    seconds: Seconds | None = None
    last_words: str | None = None
    failure_kind: Annotated[str, Field(pattern="^[a-z_]{1,24}$")] | None = None
    failure_reason: str | None = None
    detail: dict[str, Any] | None = None
    environment: Digest | None = None
    retried: bool = False

    def _check(self, result: object) -> None:
        ended = self.state in (State.DONE, State.FAILED, State.CANCELLED)
        whole = (
            (self.state == State.DONE) == (result is not None)
            and (self.state == State.FAILED) == (self.failure_kind is not None)
            and (self.failure_kind is None) == (self.failure_reason is None)
            and ended == (self.finished_at is not None)
            and self.attempt <= self.attempts_allowed
            and (self.state not in (State.RUNNING, State.DONE) or self.attempt > 0)
        )
        if not whole:
            raise ValueError(f"a job that is {self.state} has not just what such a job has")


class MovedScore(_MovedJob):
    """What the scorer at this place of the run's list gave, or why it gave nothing."""

    scorer: Count
    value: Annotated[float, Field(ge=0, le=100)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        self._check(self.value)
        return self


class MovedEdit(_MovedJob):
    """An edit of the sample at this position of the benchmark, with its scores; only one that is done has some."""

    position: Count
    repeat: Count
    image: Digest | None = None
    made_for: RunId | None = None
    scores: list[MovedScore] = []

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        self._check(self.image)
        if self.scores and self.state != State.DONE:
            raise ValueError(f"an edit that is {self.state} has scores")
        if len({score.scorer for score in self.scores}) < len(self.scores):
            raise ValueError("a scorer has two scores of one edit")
        return self
