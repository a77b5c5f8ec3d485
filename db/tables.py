"""The ledger's tables: what is asked, under way, done or failed, with a meaning beside each state.

Times are seconds since the epoch by the database's clock. What must never be is a constraint, not a convention.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

SCHEMA_VERSION = "0008"
"""The newest revision in db/migrations/versions; a ledger at another one is upgraded or refused."""


class Stage(StrEnum):
    """The two kinds of work; also the names of the queues and of the Celery tasks."""

    EDIT = "edit"
    SCORE = "score"


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"  # waits for a worker, from `not_before` on
    RUNNING = "running"  # claimed by `owner` until `lease_until`
    DONE = "done"  # has its result; final
    FAILED = "failed"  # ended without a result, for `failure_kind` and `failure_reason`; final until retried
    CANCELLED = "cancelled"  # no longer wanted; final until resumed


OPEN_STATES = (State.QUEUED, State.RUNNING)


class Health(StrEnum):
    """What a worker says of itself."""

    SERVING = "serving"  # takes jobs
    SICK = "sick"  # its GPU fails: it takes no more jobs, for `reason`, until it is started anew


class FailureKind(StrEnum):
    """Why a job has no result."""

    INPUT = "input"  # this sample cannot be worked on: unreadable image, unknown instruction, no reference
    OUT_OF_MEMORY = "out_of_memory"  # the device or the host was too small for it
    MODEL = "model"  # the model could not be loaded, or gave something that is not a result
    STORE = "store"  # its images could not be read or written
    ERROR = "error"  # an unexpected exception, a bug of ours or of a backend
    UNPARSED = "unparsed"  # the judge answered, but its reply holds no score that can be read
    REFUSED = "refused"  # the judge declined to answer
    SERVICE = "service"  # the server behind the model was down, busy or too slow, on every attempt allowed
    POISON = "poison"  # its process died, or its lease ran out, on every attempt allowed
    MISSING = "missing"  # the image that was to be given is not there; nobody here can make it


ATTEMPTS_ALLOWED = 3
"""How often a job may be claimed before it counts as poison. A retry by a person allows as many again."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER PRIMARY KEY numbers itself in SQLite
_Digest = String(64)
_Json = JSON(none_as_null=True)

SEVERAL_SOURCES = text("more_sources <> ''")
"""The condition that a sample has more than one source image."""

benchmarks = Table(
    "benchmarks",
    metadata,
    Column("id", _Digest, primary_key=True, comment="sha-256 of the samples' content"),
    Column("name", Text, nullable=False),
    Column("sample_count", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("complete", Boolean, nullable=False, comment="every sample is in"),
)

samples = Table(
    "samples",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("benchmark_id", ForeignKey("benchmarks.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="place in the benchmark, from 0"),
    Column("key", Text, nullable=False, comment="the benchmark's own name of the sample"),
    Column("category", Text, nullable=False),
    Column("instruction", Text, nullable=False),
    Column("description", Text),
    Column("source_image", _Digest, nullable=False),
    Column("reference_image", _Digest),
    Column("reference_text", Text, comment="what a right result is, in words"),
    Column("more_sources", Text, nullable=False, server_default=text("''"), comment="digests, a space between"),
    Column("fields", _Json, comment="what else the benchmark says of it, by name, for rubrics"),
    Index(None, "benchmark_id", sqlite_where=SEVERAL_SOURCES, postgresql_where=SEVERAL_SOURCES),
    UniqueConstraint("benchmark_id", "position"),
    UniqueConstraint("benchmark_id", "category", "key"),
)

ASKED_OF_EDITOR = (
    *(samples.c.category, samples.c.key, samples.c.instruction),
    *(samples.c.source_image, samples.c.more_sources),
)
"""What an editor is given, under its name: samples that are alike in this are the same, also in other benchmarks."""

SHOWN_TO_JUDGE = (samples.c.description, samples.c.reference_image, samples.c.reference_text, samples.c.fields)
"""What of a sample a judge is given besides."""

runs = Table(
    "runs",
    metadata,
    Column("id", String(12), primary_key=True, comment="from the benchmark's and the configuration's digest"),
    Column("benchmark_id", ForeignKey("benchmarks.id"), nullable=False),
    Column("configuration", _Json, nullable=False, comment="fully resolved: everything that shapes a result"),
    Column("priority", String(8), nullable=False),
    Column("editing", _Digest, comment="sha-256 of editor and seed: runs alike share edits; null: with no other run"),
    Column("created_at", Double, nullable=False),
    Column("prompts", _Json, comment="the benchmark's own prompts by category, for judges asked later"),
    CheckConstraint("priority IN ('low', 'normal', 'high')", name="priority"),
    Index(None, "editing"),
)

run_scorers = Table(
    "run_scorers",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("label", Text, nullable=False, comment="how reports call it"),
    Column("configuration", _Json, nullable=False),
    Column("batch_size", Integer, nullable=False),
    Column(
        "repeat", Integer, nullable=False, server_default=text("0"), comment="how often it was asked before, from 0"
    ),
    Column("scale_min", Double, nullable=False, server_default=text("0"), comment="the least score it can give"),
    Column("scale_max", Double, nullable=False, server_default=text("10"), comment="the best one"),
    UniqueConstraint("run_id", "label", "repeat"),
)

environments = Table(
    "environments",
    metadata,
    Column("id", _Digest, primary_key=True, comment="sha-256 of the facts"),
    Column("facts", _Json, nullable=False, comment="machine, software and loaded model: what shapes a result, unasked"),
)


def _job_columns() -> list[Column[object]]:
    return [
        Column("id", _Id, primary_key=True),
        Column("state", String(9), nullable=False),
        Column("attempt", Integer, nullable=False, server_default=text("0"), comment="fencing number; only grows"),
        Column("attempts_allowed", Integer, nullable=False, server_default=text(str(ATTEMPTS_ALLOWED))),
        Column("not_before", Double, nullable=False, comment="waits until then"),
        Column("published_at", Double, comment="last message sent; null: a message is owed"),
        Column("owner", Text, comment="the process and delivery that hold the claim"),
        Column("lease_until", Double),
        Column("worker", Text, comment="name of the worker of the last attempt"),
        Column("started_at", Double, comment="last claim"),
        Column("finished_at", Double),
        Column("seconds", Double, comment="time the model took, loading excluded"),
        Column("last_words", Text, comment="how the last attempt without an outcome ended"),
        Column("failure_kind", String(24)),
        Column("failure_reason", Text),
        Column("detail", _Json, comment="what else the model said"),
        Column("environment", ForeignKey("environments.id"), comment="where the outcome came about"),
        Column(
            "retried",
            Boolean,
            nullable=False,
            server_default=false(),
            comment="a person had it done again after it had ended",
        ),
    ]


TRIED_AND_WAITING = text("state = 'queued' AND attempt > 0")
"""The condition of the indexes by `not_before`, whose words a statement must have that is to use it.

Only what was tried before waits behind a back-off: among all that wait these are few.
"""


def _job_constraints() -> list[CheckConstraint | Index]:
    states = ", ".join(f"'{state}'" for state in State)
    return [
        CheckConstraint(f"state IN ({states})", name="state"),
        CheckConstraint("(state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL)", name="claim"),
        CheckConstraint("(state = 'failed') = (failure_kind IS NOT NULL)", name="failure_kind"),
        CheckConstraint("(failure_kind IS NULL) = (failure_reason IS NULL)", name="failure_reason"),
        CheckConstraint("(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished_at"),
        CheckConstraint("attempt <= attempts_allowed", name="attempt"),
        CheckConstraint("state NOT IN ('running', 'done') OR attempt > 0", name="claimed"),
    ]


edits = Table(
    "edits",
    metadata,
    *_job_columns(),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("sample_id", ForeignKey("samples.id"), nullable=False),
    Column("repeat", Integer, nullable=False, comment="from 0"),
    Column("image", _Digest, comment="the edited image"),
    Column("made_for", String(12), comment="the run that the image was made for, where that is another"),
    *_job_constraints(),
    CheckConstraint("(state = 'done') = (image IS NOT NULL)", name="image"),
    CheckConstraint("length(image) = 64", name="digest"),
    UniqueConstraint("sample_id", "run_id", "repeat"),  # by it, whether any edit is of a sample that is to go
    Index(None, "state", "published_at"),
    Index(None, "run_id", "state", "id"),
    Index(None, "run_id", "state", "not_before", sqlite_where=TRIED_AND_WAITING, postgresql_where=TRIED_AND_WAITING),
)

scores = Table(
    "scores",
    metadata,
    *_job_columns(),
    Column("edit_id", ForeignKey("edits.id"), nullable=False),
    Column("scorer_id", ForeignKey("run_scorers.id"), nullable=False),
    Column("value", Double, comment="on the scorer's scale"),
    *_job_constraints(),
    CheckConstraint("(state = 'done') = (value IS NOT NULL)", name="value"),
    CheckConstraint("value BETWEEN 0 AND 100", name="scale"),
    UniqueConstraint("edit_id", "scorer_id"),
    Index(None, "state", "published_at"),
    Index(None, "scorer_id", "state", "id"),
    Index(None, "scorer_id", "state", "not_before", sqlite_where=TRIED_AND_WAITING, postgresql_where=TRIED_AND_WAITING),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("process", Text, nullable=False, comment="the worker's parent process"),
    Column("gpu", Text, nullable=False, comment="CUDA_VISIBLE_DEVICES; empty: none"),
    Column("health", String(16), nullable=False),
    Column("reason", Text, comment="why it is sick"),
    Column("since", Double, nullable=False, comment="when it became so"),
    Column("seen_at", Double, nullable=False, comment="its last word"),
    Column("stages", Text, nullable=False, server_default=text("''"), comment="its queues, as in `edit,score`"),
    Column("stage", String(5), comment="the one it serves now; null: none yet"),
    Column("run_id", String(12), comment="the run it serves now"),
    Column("ready_at", Double, comment="when its model is there and its job done, as far as it can tell"),
    Column("idle", Boolean, nullable=False, server_default=false(), comment="found nothing to do, and waits"),
    Column("pace", Double, nullable=False, server_default=text("1.0"), comment="jobs it does while others do one"),
    CheckConstraint("(health = 'sick') = (reason IS NOT NULL)", name="reason"),
)

timings = Table(
    "timings",
    metadata,
    Column("model", _Digest, primary_key=True, comment="sha-256 of stage, name and options"),
    Column("seconds", Double, comment="what one edit, or one score in a full batch, took lately, on average"),
    Column(
        "jobs", Integer, nullable=False, server_default=text("0"), comment="how many were measured; 0: part of a batch"
    ),
    Column("load_seconds", Double, comment="what it took lately to make it resident"),
    Column("measured_at", Double, nullable=False),
)

JOB_TABLES = {Stage.EDIT: edits, Stage.SCORE: scores}
