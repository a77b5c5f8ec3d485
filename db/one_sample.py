"""All that the ledger knows of one sample of a run, and the claims that doing its jobs once more would take.

Nothing here changes it: such a claim is held by nobody, and no outcome is ever written for it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row, Select, and_, exists, func, literal, or_, select

from db.categories import ENGLISH_ALIASES
from db.engine import reading
from db.errors import UnknownSample, WrongCall
from db.jobs import EditClaim, ScoreClaim
from db.tables import ASKED_OF_EDITOR, SHOWN_TO_JUDGE, edits, environments, run_scorers, runs, samples, scores
from db.to_do import Claims

NEAR_SHOWN = 3
"""So many samples of a similar name are told of one that there is not."""


@dataclass(frozen=True)
class Sample:
    """A sample of a run's benchmark; images are digests in the image store."""

    id: int
    position: int
    key: str
    category: str
    instruction: str
    description: str | None
    source_image: str
    more_sources: str
    reference_image: str | None
    reference_text: str | None
    fields: Mapping[str, Any] | None


@dataclass(frozen=True)
class Stored:
    """What the ledger has of a score that is given once more: its outcome so far, None of each where there is none."""

    label: str
    judge_repeat: int
    state: str | None
    value: float | None
    failure_kind: str | None
    failure_reason: str | None


def find_sample(engine: Engine, run_id: str, given: str) -> Sample:
    """Return the run's sample of this key, or of this `category/key`. Raises UnknownSample and WrongCall."""
    with reading(engine) as connection:
        by_key = connection.execute(_samples(run_id).where(samples.c.key == given)).all()
        found = by_key or connection.execute(_samples(run_id).where(_category_and_key(given))).all()
        if not found:
            raise UnknownSample(_unknown(run_id, given, connection.scalars(_keys(run_id)).all()))
    if len(found) > 1:
        named = ", ".join(repr(f"{row.category}/{row.key}") for row in found)
        raise WrongCall(f"sample {given!r} is in several categories: say which of {named}")
    return Sample(**found[0]._mapping)


def edits_of_sample(engine: Engine, run_id: str, sample_id: int) -> Sequence[Row[Any]]:
    """Return every column of the sample's edits by repeat, with the `facts` of the environment of each."""
    query = select(edits, environments.c.facts).outerjoin(environments, edits.c.environment == environments.c.id)
    with reading(engine) as connection:
        return connection.execute(query.where(*_edits(run_id, sample_id)).order_by(edits.c.repeat)).all()


def scores_of_edit(engine: Engine, edit_id: int) -> Sequence[Row[Any]]:
    """Return every column of the edit's scores in the order of scorers, with `label`, `judge_repeat` and `facts`."""
    query = (
        select(scores, run_scorers.c.label, run_scorers.c.repeat.label("judge_repeat"), environments.c.facts)
        .join(run_scorers, scores.c.scorer_id == run_scorers.c.id)
        .outerjoin(environments, scores.c.environment == environments.c.id)
        .where(scores.c.edit_id == edit_id)
    )
    with reading(engine) as connection:
        return connection.execute(query.order_by(run_scorers.c.id)).all()


# -- done once more ----------------------------------------------------------------------------------------------------


def edit_once_more(engine: Engine, run_id: str, sample: Sample, repeat: int) -> EditClaim:
    """Return what making this edit takes. Raises UnknownSample where the sample has no such repeat."""
    columns = (edits.c.id, edits.c.attempt, edits.c.last_words, edits.c.run_id, edits.c.repeat, *ASKED_OF_EDITOR)
    query: Select[Any] = select(*columns).join(samples, edits.c.sample_id == samples.c.id)
    with reading(engine) as connection:
        found = connection.execute(query.where(*_edits(run_id, sample.id), edits.c.repeat == repeat)).one_or_none()
        if found is None:
            count = connection.scalar(select(func.count()).where(*_edits(run_id, sample.id)))
            raise UnknownSample(f"sample {sample.key!r} has no repeat {repeat}: there are {count}, counted from 0")
        return Claims().of_edit(connection, found)


def scores_once_more(engine: Engine, edit: EditClaim, image: str) -> list[tuple[ScoreClaim, Stored]]:
    """Return what giving the scores of this image takes, for each scorer of the run in their order; and what is known.

    `image` is the digest of the edited image, which need not be the edit's own.
    """
    score = and_(scores.c.edit_id == edits.c.id, scores.c.scorer_id == run_scorers.c.id)
    known = (scores.c.state, scores.c.value, scores.c.failure_kind, scores.c.failure_reason)
    query = (
        select(
            func.coalesce(scores.c.id, 0).label("id"),
            func.coalesce(scores.c.attempt, 0).label("attempt"),
            scores.c.last_words,
            run_scorers.c.id.label("scorer_id"),
            run_scorers.c.label,
            run_scorers.c.repeat.label("judge_repeat"),
            edits.c.run_id,
            edits.c.repeat,
            literal(image).label("image"),
            *ASKED_OF_EDITOR,
            *SHOWN_TO_JUDGE,
            *known,
        )
        .select_from(edits)
        .join(samples, edits.c.sample_id == samples.c.id)
        .join(run_scorers, edits.c.run_id == run_scorers.c.run_id)
        .outerjoin(scores, score)
        .where(edits.c.id == edit.job_id)
    )
    names = ("label", "judge_repeat", *(column.name for column in known))
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(run_scorers.c.id)).all()
        claims = Claims()
        return [
            (claims.of_score(connection, row), Stored(**{name: row._mapping[name] for name in names})) for row in rows
        ]


# -- by name -----------------------------------------------------------------------------------------------------------

_COLUMNS = tuple(samples.c[name] for name in Sample.__dataclass_fields__)
_BY_ALIAS: Mapping[str, str] = {alias: category for category, alias in ENGLISH_ALIASES.items()}


def _edits(run_id: str, sample_id: int) -> tuple[Any, Any]:
    return edits.c.run_id == run_id, edits.c.sample_id == sample_id


def _of_run(run_id: str) -> Any:
    """Return the condition that a sample is the run's; by its benchmark first, so that an index leads there."""
    benchmark = select(runs.c.benchmark_id).where(runs.c.id == run_id).scalar_subquery()
    asked = exists().where(edits.c.run_id == run_id, edits.c.sample_id == samples.c.id)
    return and_(samples.c.benchmark_id == benchmark, asked)


def _samples(run_id: str) -> Select[Any]:
    return select(*_COLUMNS).where(_of_run(run_id)).order_by(samples.c.position)


def _keys(run_id: str) -> Select[Any]:
    return select(samples.c.key).where(_of_run(run_id)).order_by(samples.c.position)


def _category_and_key(given: str) -> Any:
    """Return the condition that a sample's category, or its alias, and key are these; either may hold a slash."""
    slashes = [place for place, character in enumerate(given) if character == "/"]
    halves = [(given[:place], given[place + 1 :]) for place in slashes]
    named = [(_BY_ALIAS.get(category, category), key) for category, key in halves] + halves
    return or_(literal(False), *(and_(samples.c.category == category, samples.c.key == key) for category, key in named))


def _unknown(run_id: str, given: str, keys: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, dict.fromkeys(keys), n=NEAR_SHOWN)
    hint = f": is it {' or '.join(map(repr, near))}?" if near else ""
    return f"run {run_id} has no sample {given!r}{hint}"
