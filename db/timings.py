"""What models took here lately: it outlives runs, for choosing roles and for telling how long a run takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from db.catalogue import Role, find_spec
from db.choice import ModelChoice
from db.tables import Stage, timings

WEIGHT = 0.02
"""How much a new measurement counts against all that came before, once there are enough for a mean."""

EDIT_SECONDS, SCORE_SECONDS, LOAD_SECONDS = 10.0, 1.0, 30.0
"""What is expected of a model that nothing is known of."""

LEAST_SECONDS = 0.001
"""Nothing takes no time: what is left would count as nothing."""


@dataclass(frozen=True)
class Timing:
    """What one edit, or one score in a full batch, takes, and making the model resident, in seconds.

    `measured`: the first of them is no guess.
    """

    seconds: float
    load_seconds: float
    measured: bool = False


def timing_key(stage: Stage, model: ModelChoice) -> str:
    """Return the name under which this model is remembered: whatever shapes its results may shape its time."""
    known = json.dumps([stage.value, model.name, dict(model.options)], sort_keys=True)
    return hashlib.sha256(known.encode()).hexdigest()


def role_at(stage: Stage) -> Role:
    """Return what the models of this stage are in a run."""
    return Role.EDITOR if stage is Stage.EDIT else Role.SCORER


def expected(stage: Stage, model: ModelChoice) -> Timing:
    """Return what is expected of a model that was never seen at work."""
    spec = find_spec(role_at(stage), model.name)
    return Timing(EDIT_SECONDS if stage is Stage.EDIT else SCORE_SECONDS, LOAD_SECONDS if spec.fills_gpu else 0.0)


def known_timings(connection: Connection, models: Mapping[str, Timing]) -> dict[str, Timing]:
    """Return what is remembered of these models, by key; what is not stays as it is expected."""
    query = select(timings.c.model, timings.c.seconds, timings.c.load_seconds).where(timings.c.model.in_(list(models)))
    known = dict(models)
    for key, seconds, load_seconds in connection.execute(query):
        guess = models[key]
        known[key] = Timing(
            guess.seconds if seconds is None else max(seconds, LEAST_SECONDS),
            guess.load_seconds if load_seconds is None else load_seconds,
            measured=seconds is not None,
        )
    return known


def remember(
    connection: Connection,
    now: float,
    key: str,
    seconds: Iterable[float] = (),
    load: float | None = None,
    partly: float | None = None,
) -> None:
    """Let these measurements of one model count: what jobs took, in their order, and what loading took.

    `partly` is what a score took in a batch that was not full: better than a guess, until there is a full one.

    All workers write here, and one may freeze while it does. Raises OperationalError rather than wait for it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
    so_far = select(timings.c.seconds, timings.c.jobs).where(timings.c.model == key).with_for_update()
    if connection.execute(so_far).one_or_none() is None:
        with suppress(IntegrityError), connection.begin_nested():  # another worker may be entering it
            connection.execute(insert(timings).values(model=key, measured_at=now))
    mean, jobs = connection.execute(so_far).one()
    if jobs == 0 and partly is not None:
        mean = partly
    for one in seconds:
        jobs += 1
        mean = one if jobs == 1 else mean + max(WEIGHT, 1 / jobs) * (one - mean)
    loaded = func.coalesce(load, timings.c.load_seconds)
    values = {"seconds": mean, "jobs": jobs, "load_seconds": loaded, "measured_at": now}
    connection.execute(update(timings).where(timings.c.model == key).values(values))
