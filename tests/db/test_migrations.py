"""A ledger of an earlier version is brought up to date when it is opened: nothing is lost, it becomes as a new one is.

The ledgers in tests/data/ledgers were made by the code of that time; what is in them is written down here by hand.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.exc import IntegrityError

import db
from db.engine import open_engine, reading, transaction
from db.ledger import Ledger
from db.moving.read import read_run
from db.moving.records import MovedRun
from db.queries import all_runs, progress_of
from db.tables import SCHEMA_VERSION, Stage, State, edits, metadata
from producer.report.gather import gather_report
from tests.db.steps import claimed, claimed_scores, edit_outcomes, finish_edit, finish_score, job_ids, score_outcomes

LEDGERS = Path(__file__).parent.parent / "data" / "ledgers"
KINDS = ("sqlite", "postgresql")
REVISIONS = sorted(path.name[:4] for path in LEDGERS.glob("*.sqlite.sql"))

DRAWN = "simulated: this sample was drawn to fail"

SCORES = {
    ("rain", 0): {"strict": 4.35, "kind": 1.56},
    ("rain", 1): {"strict": DRAWN, "kind": 5.69},
    ("snow", 0): {"strict": 9.41, "kind": 7.49},
    ("snow", 1): {"strict": 9.45, "kind": 4.35},
    ("crowd", 0): {"strict": DRAWN, "kind": 5.83},
}
"""What each edit was given, or why it was given nothing; the other edit of `crowd` failed."""

IMAGES = {
    ("rain", 0): "d344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e",
    ("rain", 1): "7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772",
    ("snow", 0): "8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932",
    ("snow", 1): "f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4",
    ("crowd", 0): "633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90",
    ("crowd", 1): None,
}


def lay_down(url: str, revision: str) -> None:
    """Fill an empty database with the ledger of that revision."""
    kind = make_url(url).get_backend_name()
    sql = (LEDGERS / f"{revision}.{kind}.sql").read_text(encoding="utf-8")
    if kind == "sqlite":
        connection = sqlite3.connect(str(make_url(url).database))
        connection.executescript(sql)
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(sql)  # type: ignore[arg-type]  # psycopg wants to see its statements in the source


def constraints(engine: Engine) -> set[str]:
    """Return the names of everything that the database holds to."""
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            made = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
            found = {name for sql in made for name in re.findall(r"(?:CONSTRAINT|INDEX) \"?(\w+)\"?", sql)}
            return {name for name in found if not name.startswith("alembic")}
        named = "SELECT conname FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace WHERE nspname = 'public'"
        return set(connection.scalars(text(f"{named} AND contype <> 'n' AND conname NOT LIKE 'alembic%'")))


@pytest.fixture(scope="module", params=[(revision, kind) for revision in REVISIONS for kind in KINDS], ids="-".join)
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A ledger of an earlier version with two runs in it, opened by this code."""
    revision, kind = request.param
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp(revision) / 'ledger.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS of_{revision}")
            admin.execute(f"CREATE DATABASE of_{revision}")
        url = server.replace("/postgres?", f"/of_{revision}?")
    lay_down(url, revision)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def test_there_is_a_ledger_of_every_revision_and_no_other() -> None:
    known = ScriptDirectory(str(Path(db.__file__).parent / "migrations")).walk_revisions()

    assert sorted(one.revision for one in known) == REVISIONS


def test_nothing_is_lost_and_all_of_it_can_be_gone_on_with(upgraded: Engine) -> None:
    waiting, ended = (run.id for run in all_runs(upgraded))

    _require_outcomes(upgraded, ended)
    _require_report(upgraded, ended)
    with reading(upgraded) as connection:
        for run_id in (waiting, ended):
            MovedRun.model_validate(read_run(connection, run_id))  # it is called by its content, then as today
    assert progress_of(upgraded, waiting).edits.by_state == {State.QUEUED: 6}
    ledger = Ledger(upgraded)
    edit_id = job_ids(ledger, Stage.EDIT, waiting)[0]
    assert finish_edit(ledger, claimed(ledger, edit_id), "e" * 64, seconds=1) is not None
    score_id = job_ids(ledger, Stage.SCORE, waiting)[0]
    (claim,) = claimed_scores(ledger, [score_id])
    assert finish_score(ledger, claim, 5, seconds=1)


def _require_outcomes(engine: Engine, run_id: str) -> None:
    found = {row.id: row for row in edit_outcomes(engine, run_id)}
    with reading(engine) as connection:
        images = dict(connection.execute(select(edits.c.id, edits.c.image).where(edits.c.run_id == run_id)).all())
    assert {(row.key, row.repeat): images[row.id] for row in found.values()} == IMAGES
    failed = [row for row in found.values() if row.state == State.FAILED]
    assert [(row.key, row.repeat, row.failure_reason) for row in failed] == [("crowd", 1, DRAWN)]
    given: dict[tuple[str, int], dict[str, object]] = {}
    for row in score_outcomes(engine, run_id):
        edit = found[row.edit_id]
        of_edit = given.setdefault((edit.key, edit.repeat), {})
        of_edit[row.label] = row.failure_reason if row.value is None else row.value
    assert given == SCORES


def _require_report(engine: Engine, run_id: str) -> None:
    report = gather_report(engine, run_id)
    assert (report.editor, report.benchmark.name, report.benchmark.samples) == ("simulated", "benchmark", 3)
    assert not report.partial
    strict, kind = (scorer.dimensions[0].overall for scorer in report.scorers)
    assert [scorer.scorer for scorer in report.scorers] == ["strict", "kind"]
    assert [scorer.scale for scorer in report.scorers] == [(0, 10), (0, 10)]
    assert (strict.n, strict.scored, strict.failed.judge_failed, strict.failed.edit_failed) == (6, 3, 2, 1)
    assert (kind.n, kind.scored, kind.failed.total) == (6, 5, 1)
    assert strict.mean == pytest.approx((4.35 + 9.41 + 9.45) / 3)
    assert kind.mean == pytest.approx((1.56 + 5.69 + 7.49 + 4.35 + 5.83) / 5)
    assert [(one.stage, one.scorer, one.key, one.repeat) for one in report.failures] == [
        ("score", "strict", "rain", 1),
        ("score", "strict", "crowd", 0),
        ("edit", None, "crowd", 1),
    ]


def test_it_becomes_as_a_new_one_is(upgraded: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    new = f"sqlite:///{tmp_path / 'new.db'}"
    if upgraded.dialect.name == "postgresql":
        new = request.getfixturevalue("shared_engine").url.render_as_string(hide_password=False)
    fresh = open_engine(new)
    request.addfinalizer(fresh.dispose)
    with upgraded.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == SCHEMA_VERSION
    assert constraints(upgraded) == constraints(fresh)
    for change in ("UPDATE scores SET value = 101", "UPDATE edits SET image = 'x' WHERE id = 1", "DELETE FROM edits"):
        with pytest.raises(IntegrityError), transaction(upgraded) as connection:
            connection.execute(text(change))


@pytest.mark.integration
@pytest.mark.parametrize("command", [("producer", "runs"), ("workers", "--workers", "1")])
def test_commands_refuse_a_newer_ledger_in_a_line(
    sqlite_url: str, broker_url: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    engine = open_engine(sqlite_url)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={
            **os.environ,
            "FARM_HOME": str(tmp_path),
            "FARM_DATABASE_URL": sqlite_url,
            "FARM_BROKER_URL": broker_url,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    (complaint,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert "the ledger has schema 9999, newer than this editfarm knows" in complaint
