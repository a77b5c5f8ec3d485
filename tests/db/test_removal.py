"""A run that is removed is gone with all that came of it; what other runs have of it stays theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, event, func, select

from db import removal
from db.engine import open_engine, reading, transaction
from db.environments import enter_environment
from db.errors import UnknownRun, WrongCall
from db.images import ImageStore
from db.intake import enter_run
from db.ledger import Ledger
from db.queries import all_runs, progress_of
from db.removal import RemovedRun, remove_run
from db.rescoring import enter_rescore
from db.tables import Stage, State, benchmarks, edits, metadata, samples
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from db.upkeep.gc import collect
from tests.conftest import Clock
from tests.db.steps import IMAGE, claim_edit, claimed, finish_edit, job_ids
from tests.factories import configuration, enter, png


def made(ledger: Ledger, images: ImageStore, run_id: str) -> None:
    images.put(png())
    for edit_id in job_ids(ledger, Stage.EDIT, run_id):
        assert finish_edit(ledger, claimed(ledger, edit_id), images.put(b"edited"), seconds=1) is not None


def rows(ledger: Ledger) -> dict[str, int]:
    with reading(ledger.engine) as connection:
        count = {table.name: select(func.count()).select_from(table) for table in metadata.sorted_tables}
        return {name: found for name, query in count.items() if (found := connection.scalar(query))}


def test_nothing_of_it_is_left_and_gc_takes_its_images(
    ledger: Ledger, images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "SAMPLES_AT_ONCE", 2)
    kept, gone = enter(ledger, ["kept"]), enter(ledger, 5)
    made(ledger, images, gone)

    assert remove_run(ledger.engine, gone) == RemovedRun(edits=5, scores=5, samples=5)

    assert [run.id for run in all_runs(ledger.engine)] == [kept]
    assert rows(ledger) == {"benchmarks": 1, "samples": 1, "runs": 1, "run_scorers": 1, "edits": 1}
    assert collect(ledger.engine, images, older_than_seconds=-60).files == 1
    assert [file.digest for file in images.stored()] == [images.put(png())]  # the other run's source is the same


def test_gc_takes_the_images_of_the_last_run_too(ledger: Ledger, images: ImageStore) -> None:
    run_id = enter(ledger)
    (edit_id,) = job_ids(ledger, Stage.EDIT, run_id)
    where = enter_environment(ledger.engine, {"gpu": "NVIDIA H200"})
    assert finish_edit(ledger, claimed(ledger, edit_id), images.put(b"edited"), seconds=1, environment=where)
    remove_run(ledger.engine, run_id)

    assert collect(ledger.engine, images, older_than_seconds=-60).files == 1


def test_other_runs_keep_the_benchmark_and_what_they_took_over(ledger: Ledger, images: ImageStore) -> None:
    first = enter(ledger, 2)
    made(ledger, images, first)
    other = enter(ledger, 2, scorers=[{"name": "simulated", "label": "other"}])

    assert remove_run(ledger.engine, first).samples == 0

    assert progress_of(ledger.engine, other).edits[State.DONE] == 2
    assert list(findings(Inspection(ledger, images, None, repair=False))) == []
    assert collect(ledger.engine, images, older_than_seconds=-60).files == 0


def test_what_a_worker_holds_is_not_removed_until_it_is_cancelled(ledger: Ledger) -> None:
    run_id = enter(ledger)
    claim = claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0])
    with pytest.raises(WrongCall, match=f"workers hold 1 jobs of run {run_id}: `python -m producer cancel"):
        remove_run(ledger.engine, run_id)

    ledger.cancel(run_id)
    remove_run(ledger.engine, run_id)

    assert finish_edit(ledger, claim, "e" * 64, seconds=1) is None  # the worker is told that it counts no more
    assert rows(ledger) == {}


def test_asking_again_afterwards_is_a_new_run(ledger: Ledger, images: ImageStore) -> None:
    run_id = enter(ledger, 2)
    made(ledger, images, run_id)
    remove_run(ledger.engine, run_id)

    assert enter(ledger, 2) == run_id
    assert progress_of(ledger.engine, run_id).edits.by_state == {State.QUEUED: 2}


def test_a_benchmark_that_is_submitted_meanwhile_stays(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = enter(ledger, 3)
    remove_benchmark = removal._remove_benchmark
    again: list[str] = []

    def after_a_submit(*given: object) -> int:
        again.append(enter(ledger, 3))
        return remove_benchmark(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(removal, "_remove_benchmark", after_a_submit)
    assert remove_run(ledger.engine, run_id).samples == 0

    assert again == [run_id]
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(benchmarks.c.complete))
        assert connection.scalar(select(func.count()).select_from(samples)) == 3
        assert connection.scalar(select(func.count()).select_from(edits)) == 3


def test_no_run_is_entered_of_a_benchmark_that_is_half_removed(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "SAMPLES_AT_ONCE", 1)
    run_id = enter(ledger, 3)
    with reading(ledger.engine) as connection:
        benchmark_id = str(connection.scalar(select(benchmarks.c.id)))
    refused: list[str] = []

    def after_an_attempt(engine: Engine) -> object:
        if not all_runs(engine) and rows(ledger):
            with pytest.raises(WrongCall) as error:
                enter_run(engine, benchmark_id, configuration(seed=1))
            refused.append(str(error.value))
        return transaction(engine)

    monkeypatch.setattr(removal, "transaction", after_an_attempt)
    assert remove_run(ledger.engine, run_id).samples == 3

    assert len(refused) == 4 and "do the same again" in refused[0]
    assert rows(ledger) == {}


def test_a_run_that_was_removed_meanwhile_cannot_be_rescored_or_removed(ledger: Ledger) -> None:
    gone, kept = enter(ledger), enter(ledger, seed=1)
    remove_run(ledger.engine, gone)

    with pytest.raises(UnknownRun):
        enter_rescore(ledger.engine, gone, configuration(scorers=[{"name": "simulated", "label": "other"}]))
    with pytest.raises(UnknownRun):
        remove_run(ledger.engine, gone)
    assert [run.id for run in all_runs(ledger.engine)] == [kept]


def test_no_worker_takes_a_job_while_its_run_is_removed(postgres_url: str, clock: Clock) -> None:
    ledger = Ledger(open_engine(postgres_url), clock=clock)  # in SQLite one writes at a time
    run_id = enter(ledger, 2)
    found: list[object] = []

    def work(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("DELETE FROM scores"):
            for edit_id in edit_ids:
                claim = claim_edit(ledger, edit_id)
                found.append(claim and finish_edit(ledger, claim, IMAGE, seconds=1))

    edit_ids = job_ids(ledger, Stage.EDIT, run_id)
    event.listen(ledger.engine, "after_cursor_execute", work)
    assert remove_run(ledger.engine, run_id).edits == 2

    assert found == [None, None]
    assert rows(ledger) == {}
    ledger.engine.dispose()
