"""A run that moves is the same run in the other farm: its report is, byte for byte, and it is there once."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from sqlalchemy import update

from db.doorbells import take_owed
from db.engine import transaction
from db.errors import FarmError, WrongCall
from db.images import digest_of
from db.queries import find_run, progress_of
from db.tables import Stage, State, benchmarks, runs
from tests.db.steps import job_ids
from tests.factories import png
from tests.producer.moving.farms import KINDS, Farm, by_hand, finished, go_on, half_done


def made(kind: str, farm: Farm, folder: Path) -> str:
    make = KINDS[kind]
    return make(farm, folder) if "folder" in inspect.signature(make).parameters else make(farm)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_its_report_is_the_same_in_the_other_farm(kind: str, either_way: tuple[Farm, Farm], tmp_path: Path) -> None:
    here, there = either_way
    run_id = made(kind, here, tmp_path)
    here.ledger.cancel(run_id)  # what is open is another thing there, which another test is about
    assert here.faults() == []

    imported = there.take_in(here.export(run_id))

    assert (imported.run.id, imported.new) == (run_id, True)
    assert there.run_ids() == {run_id}
    theirs, ours = there.report(run_id), here.report(run_id)
    if json.loads(ours)["partial"]:  # when it was called off differs
        theirs, ours = ({**json.loads(one), "provenance": None} for one in (theirs, ours))
    assert theirs == ours
    assert there.faults() == []


def test_it_is_exported_from_there_as_it_was_from_here(either_way: tuple[Farm, Farm]) -> None:
    here, there = either_way
    run_id = finished(here)

    there.take_in(archive := here.export(run_id))

    assert there.export(run_id) == archive


def test_twice_is_once(here: Farm, there: Farm) -> None:
    archive = here.export(half_done(here))

    first, again = there.take_in(archive), there.take_in(archive)

    assert (first.new, again.new) == (True, False)
    counts = progress_of(there.ledger.engine, first.run.id)
    assert (counts.edits.total, counts.scores.total) == (6, 4)


def test_importing_again_heals_the_store(here: Farm, there: Farm) -> None:
    archive = here.export(finished(here))
    there.take_in(archive)
    there.images.path(digest_of(b"second")).unlink()

    there.take_in(archive)

    assert there.faults() == []


def test_a_run_that_is_not_finished_waits_there_until_it_is_resumed(either_way: tuple[Farm, Farm]) -> None:
    here, there = either_way
    run_id = half_done(here)

    imported = there.take_in(here.export(run_id))

    assert imported.unfinished == 7  # four edits; three scores
    assert json.loads(there.report(run_id))["partial"]
    assert not take_owed(there.ledger, Stage.EDIT) and not take_owed(there.ledger, Stage.SCORE)
    progress = progress_of(there.ledger.engine, run_id)
    assert progress.edits.by_state == {State.DONE: 2, State.CANCELLED: 4}
    assert there.ledger.resume(run_id) == 7
    assert go_on(there, run_id, job_ids(there.ledger, Stage.EDIT, run_id)) == 4
    assert progress_of(there.ledger.engine, run_id).edits[State.DONE] == 6
    assert go_on(here, run_id, job_ids(here.ledger, Stage.EDIT, run_id)) == 3  # here nothing has changed: one runs


def test_what_has_changed_since_is_not_overwritten(here: Farm, there: Farm) -> None:
    run = by_hand(here, until="half")
    archive = here.export(run.id)
    there.take_in(archive)
    there.ledger.resume(run.id)
    go_on(there, run.id, job_ids(there.ledger, Stage.EDIT, run.id))
    before = there.export(run.id)

    with pytest.raises(WrongCall, match=f"run {run.id} is here already, and not all"):
        there.take_in(archive)

    assert there.export(run.id) == before


def test_another_priority_is_no_difference(here: Farm, there: Farm) -> None:
    run_id = finished(here)
    there.take_in(here.export(run_id))
    with transaction(here.ledger.engine) as connection:
        connection.execute(update(runs).values(priority="high"))

    assert not there.take_in(here.export(run_id)).new
    assert find_run(there.ledger.engine, run_id).priority == "normal"


def test_a_benchmark_that_is_there_is_used_under_its_name_there(here: Farm, there: Farm) -> None:
    run_id = finished(here)
    there.take_in(here.export(run_id))
    with transaction(there.ledger.engine) as connection:
        connection.execute(update(benchmarks).values(name="ours"))

    other = (
        by_hand(here, seed=5, scorers=["simulated", {"name": "simulated", "label": "b"}], until="half")
        if False
        else None
    )
    assert other is None
    imported = there.take_in(here.export(run_id))

    assert imported.benchmark_name == "ours"


def test_an_interrupted_submit_of_its_benchmark_does_not_stand_in_its_way(here: Farm, there: Farm) -> None:
    run_id = finished(here)
    there.take_in(archive := here.export(run_id))
    with transaction(there.ledger.engine) as connection:
        for table in ("scores", "edits", "run_scorers", "runs"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql("DELETE FROM samples WHERE position > 0")
        connection.execute(update(benchmarks).values(complete=False))

    there.take_in(archive)

    assert there.report(run_id) == here.report(run_id)


def test_images_that_are_there_are_not_written_again(here: Farm, there: Farm) -> None:
    run_id = finished(here)
    there.images.put(png())
    inode = there.images.path(digest_of(png())).stat().st_ino

    there.take_in(here.export(run_id))

    assert there.images.path(digest_of(png())).stat().st_ino == inode
    assert there.image_names() == here.image_names()


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_an_image_that_is_not_whole_is_named(here: Farm, harm: str) -> None:
    run_id = finished(here)
    path = here.images.path(digest_of(b"second"))
    path.unlink() if harm == "missing" else path.write_bytes(b"other")

    with pytest.raises(FarmError, match=f"image {digest_of(b'second')} .*producer fsck {run_id}"):
        here.export(run_id)


def test_workers_that_write_meanwhile_are_not_seen(here: Farm, there: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    run = by_hand(here, until="half")
    from producer.moving import outgoing

    read_samples = outgoing.read_samples

    def and_work(*given: object) -> object:
        run.edit("a", repeat=1)
        return read_samples(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(outgoing, "read_samples", and_work)
    there.take_in(here.export(run.id))

    assert progress_of(there.ledger.engine, run.id).edits[State.DONE] == 2
    assert progress_of(here.ledger.engine, run.id).edits[State.DONE] == 3
