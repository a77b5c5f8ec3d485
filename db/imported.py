"""Scores that others have published, entered as runs whose every job has ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, exists, insert, select

from db.choice import IMPORTED, ModelChoice
from db.configuration import Priority
from db.engine import database_clock, transaction
from db.intake import count_anew, insert_in_parts, one_at_a_time, require_benchmark
from db.recipe import FollowedRecipe
from db.rubric import Rubric
from db.tables import State, edits, run_scorers, runs, samples, scores


class Failed(NamedTuple):
    """Why there is no result; `kind` as the ledger has it."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedScore:
    """What one scorer gave one edit: a value, or why there is none, and what it said besides."""

    scorer: str
    judge_repeat: int
    value: float | None
    failed: Failed | None = None
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ImportedEdit:
    """One edit, of the sample at this position of the benchmark; one that has `failed` has no scores."""

    position: int
    repeat: int
    failed: Failed | None
    scores: Sequence[ImportedScore]


@dataclass(frozen=True)
class ImportedRecipe:
    """The recipe by which the scores were made elsewhere, and its rubric, in which no prompt needs to be known."""

    followed: FollowedRecipe
    rubric: Rubric


@dataclass(frozen=True)
class ImportedRun:
    """All that was published of one editor; `scorers` says how often each judged an edit.

    `image` is what stands for every edited image, `aggregate` what made scores of dimensions where none was given.
    """

    editor: str
    scorers: Mapping[str, int]
    repeats: int
    scale: tuple[float, float]
    aggregate: str | None
    image: str
    edits: Sequence[ImportedEdit]
    recipe: ImportedRecipe | None = None

    def configuration(self) -> dict[str, Any]:
        """Return it in the form of a run's configuration; by its digest other scores are another run."""
        told: dict[str, Any] = {} if self.aggregate is None else {"aggregate": self.aggregate}
        if self.recipe is not None:
            told["recipe"] = self.recipe.followed.model_dump(mode="json")
        return {
            "editor": ModelChoice(IMPORTED, self.editor, {}).as_json(),
            "scorers": [
                {**self.scorer(label), **({"repeats": repeats} if repeats > 1 else {})}
                for label, repeats in self.scorers.items()
            ],
            "repeats": self.repeats,
            "seed": 0,
            "limit": None,
            **told,
            "imported": {"scale": list(self.scale), "digest": self._digest()},
        }

    def scorer(self, label: str) -> dict[str, Any]:
        """Return one of its scorers in that form."""
        ruled = {} if self.recipe is None else {"rubric": self.recipe.rubric.model_dump(mode="json")}
        return ModelChoice(IMPORTED, label, {"batch_size": 1, **ruled}).as_json()

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for edit in self.edits:
            given = [(one.scorer, one.judge_repeat, one.value, one.failed, one.detail) for one in edit.scores]
            digest.update(json.dumps([edit.position, edit.repeat, edit.failed, given]).encode() + b"\n")
        return digest.hexdigest()


def enter_imported(engine: Engine, benchmark_id: str, run: ImportedRun) -> tuple[str, bool]:
    """Enter one run with all its edits and scores, all or nothing; return its id, and False when it was there."""
    configuration = run.configuration()
    run_id = imported_run_id(benchmark_id, configuration)
    with transaction(engine) as connection:
        one_at_a_time(connection, benchmark_id)
        if connection.scalar(select(exists().where(runs.c.id == run_id))):
            return run_id, False
        require_benchmark(connection, benchmark_id)
        now = database_clock(connection)
        entered = {"id": run_id, "benchmark_id": benchmark_id, "configuration": configuration, "created_at": now}
        connection.execute(insert(runs).values(priority=Priority.NORMAL.value, **entered))
        connection.execute(insert(run_scorers), list(_scorer_rows(run_id, run)))
        insert_in_parts(connection, edits, _edit_rows(connection, run_id, benchmark_id, run, now))
        insert_in_parts(connection, scores, _score_rows(connection, run_id, run, now))
        count_anew(connection, len(run.edits))
    return run_id, True


def imported_run_id(benchmark_id: str, configuration: Mapping[str, Any]) -> str:
    """Return the id of the run of such scores, by its configuration as the ledger has it."""
    asked = json.dumps([benchmark_id, configuration], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def _scorer_rows(run_id: str, run: ImportedRun) -> Iterator[dict[str, Any]]:
    least, most = run.scale
    for label, repeats in run.scorers.items():
        for repeat in range(repeats):
            yield {
                "run_id": run_id,
                "label": label,
                "repeat": repeat,
                "configuration": run.scorer(label),
                "batch_size": 1,
                "scale_min": least,
                "scale_max": most,
            }


def _edit_rows(
    connection: Connection, run_id: str, benchmark_id: str, run: ImportedRun, now: float
) -> Iterator[dict[str, Any]]:
    in_benchmark = select(samples.c.position, samples.c.id).where(samples.c.benchmark_id == benchmark_id)
    sample_ids = {row.position: row.id for row in connection.execute(in_benchmark)}
    for edit in run.edits:
        yield {
            "run_id": run_id,
            "sample_id": sample_ids[edit.position],
            "repeat": edit.repeat,
            "image": None if edit.failed else run.image,
            **_ended(edit.failed, now),
        }


def _score_rows(connection: Connection, run_id: str, run: ImportedRun, now: float) -> Iterator[dict[str, Any]]:
    columns = (edits.c.id, edits.c.repeat, samples.c.position)
    entered = select(*columns).join(samples, edits.c.sample_id == samples.c.id).where(edits.c.run_id == run_id)
    edit_ids = {(row.position, row.repeat): row.id for row in connection.execute(entered)}
    judges = select(run_scorers.c.id, run_scorers.c.label, run_scorers.c.repeat).where(run_scorers.c.run_id == run_id)
    scorer_ids = {(row.label, row.repeat): row.id for row in connection.execute(judges)}
    for edit in run.edits:
        for score in edit.scores:
            yield {
                "edit_id": edit_ids[edit.position, edit.repeat],
                "scorer_id": scorer_ids[score.scorer, score.judge_repeat],
                "value": score.value,
                "detail": score.detail,
                **_ended(score.failed, now),
            }


def _ended(failed: Failed | None, now: float) -> dict[str, Any]:
    return {
        "state": (State.FAILED if failed else State.DONE).value,
        "failure_kind": failed.kind if failed else None,
        "failure_reason": failed.reason if failed else None,
        "attempt": 1,
        "not_before": now,
        "finished_at": now,
    }
