"""Runs with scores to check a judge by, made of lines as `import-scores` takes them; and the check itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from db.engine import reading
from db.images import FolderStore
from db.ledger import Ledger
from db.outcomes import sample_identities
from db.queries import find_run
from producer.judge_check.edits import Roster
from producer.judge_check.gather import Asked, check_judge
from producer.judge_check.schema import CheckedDimension, JudgeCheck, OrderEffects
from producer.published_scores.enter import import_scores
from producer.published_scores.publication import publication_of
from producer.report.scores import read_scores

Publish = Callable[..., list[str]]
Write = Callable[..., Path]
Check = Callable[..., JudgeCheck]

SCORES = [
    {"sample": key, "category": category, "editor": editor, "repeat": repeat, "value": 5}
    for editor in ("old", "new")
    for key, category in (("a", "物理"), ("b", "物理"), ("a", "社会"))
    for repeat in (0, 1)
]
"""Two editors, three samples of which two have the same key, two repeats: twelve edits, old's before new's."""

PAIRS = {
    "a": ("first", "second"),  # old twice
    "b": ("second", "first"),  # new twice
    "c": ("first", "first"),
    "d": ("first", "first"),
    "e": ("second", "second"),
    "f": ("tie", "first"),
    "g": ("tie", "tie"),
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is checked does not depend on the database."""
    return sqlite_url


@pytest.fixture
def publish(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Publish:
    """Enters lines of scores; returns the ids of their runs, one for each editor."""

    def enter(lines: Sequence[dict[str, Any]], name: str = "评测") -> list[str]:
        path = tmp_path / "scores.jsonl"
        rows = [{"category": "物理", "editor": "old", "scorer": "judge", **line} for line in lines]
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        publication = publication_of(path, name=name, scale=(0.0, 10.0), aggregate=None, allow_missing=True)
        return list(import_scores(publication, ledger=ledger, images=images).run_ids.values())

    return enter


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file: lines of text as they are, others as JSON."""

    def write(lines: Sequence[Any], name: str = "human.jsonl") -> Path:
        path = tmp_path / name
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def check(ledger: Ledger, file: Write) -> Callable[..., JudgeCheck]:
    """Checks the judge of runs by what people and judges said, given as lines."""

    def run(runs: list[str], human: list[Any] | None = None, pairs: list[Any] | None = None, **only: Any) -> JudgeCheck:
        asked = Asked(
            None if human is None else file(human),
            None if pairs is None else file(pairs, "pairs.jsonl"),
            only.get("scorers", ()),
            only.get("dimensions", ()),
        )
        return check_judge(ledger.engine, runs, asked)

    return run


@pytest.fixture
def two(publish: Publish) -> list[str]:
    keys = dict.fromkeys("abcdefgh", 5.0)
    return publish([*scored(keys), *scored(keys, editor="new")])


@pytest.fixture
def run_ids(publish: Publish) -> list[str]:
    return publish(SCORES)


@pytest.fixture
def roster(ledger: Ledger, run_ids: list[str]) -> Roster:
    return roster_of(ledger, run_ids)


def roster_of(ledger: Ledger, run_ids: list[str]) -> Roster:
    runs = [find_run(ledger.engine, one) for one in run_ids]
    with reading(ledger.engine) as connection:
        scores = [read_scores(connection, run.id) for run in runs]
        return Roster(runs, scores, sample_identities(connection, runs[0].benchmark_id))


def scored(values: dict[str, float | None], **fields: Any) -> list[dict[str, Any]]:
    """Return lines of scores; None is one that failed."""
    return [
        {"sample": key, **fields, **({"failure": "unparsed"} if value is None else {"value": value})}
        for key, value in values.items()
    ]


def rated(values: dict[str, float], **fields: Any) -> list[dict[str, Any]]:
    return [{"sample": key, "value": value, **fields} for key, value in values.items()]


def only(check: JudgeCheck) -> CheckedDimension:
    (one,) = check.scorers
    return one


def verdicts(given: dict[str, tuple[str, str]], **fields: Any) -> list[dict[str, Any]]:
    """Return what was preferred of old before new, and of new before old."""
    return [
        {"sample": key, "first": first, "second": second, "preferred": preferred, **fields}
        for key, both in given.items()
        for (first, second), preferred in zip((("old", "new"), ("new", "old")), both, strict=True)
    ]


def effects(check: JudgeCheck) -> OrderEffects:
    (one,) = check.order_effects
    return one
