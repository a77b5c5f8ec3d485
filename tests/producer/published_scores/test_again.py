"""Imported scores afterwards: imported again, killed half way, held against the ledger."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import delete, select

from db.engine import open_engine, reading, transaction
from db.images import FolderStore
from db.ledger import Ledger
from db.outlook import Lookout
from db.queries import all_runs, progress_of
from db.tables import State, edits, scores
from db.upkeep.finding import Inspection, Standing
from db.upkeep.fsck import findings
from tests.producer.published_scores.importing import Importer, line, only
from tests.producer.test_submit_crashes import Death, Killed


def test_importing_again_finds_the_same_runs_and_other_values_are_others(importer: Importer) -> None:
    first = importer(line(), line(editor="model-y"))

    second = importer(line(), line(editor="model-y", value=7.4))

    assert second.run_ids["model-x"] == first.run_ids["model-x"]
    assert second.new == [second.run_ids["model-y"]]
    assert second.new[0] not in first.new
    assert len(all_runs(importer.ledger.engine)) == 3


def test_an_import_that_is_killed_leaves_whole_runs_only(tmp_path: Path) -> None:
    lines = [line(sample=f"p-{number}", editor=editor) for number in range(3) for editor in ("x", "y")]
    counts, step = set(), 0
    while 2 not in counts:
        engine = open_engine(f"sqlite:///{tmp_path / str(step)}.db")
        ledger, images = Ledger(engine), FolderStore(tmp_path / f"images-{step}")
        death = Death(step)
        with suppress(Killed), death.over(engine):
            Importer(tmp_path, ledger, images)(*lines)
        runs = all_runs(engine)
        counts.add(len(runs))
        assert all(progress_of(engine, run.id).scores.by_state == {State.DONE: 3} for run in runs), step
        assert len(Importer(tmp_path, ledger, images)(*lines).run_ids) == 2
        assert len(all_runs(engine)) == 2, step
        assert list(findings(Inspection(ledger, images, None, repair=False))) == [], step
        engine.dispose()
        step += 1
    assert counts == {0, 1, 2}


def test_files_of_benchmarks_of_other_names_share_no_benchmark(importer: Importer) -> None:
    importer(line(), name="GEdit")
    importer(line(value=3), name="RISE")

    assert len({run.benchmark_id for run in all_runs(importer.ledger.engine)}) == 2


def test_fsck_finds_nothing_wrong_with_what_was_imported(importer: Importer) -> None:
    importer(line(), line(sample="p-2", value=None, failure="edit_failed"), line(editor="y"), allow_missing=True)

    assert list(findings(Inspection(importer.ledger, importer.images))) == []


def test_a_lost_placeholder_is_not_edited_anew_but_imported_again(importer: Importer) -> None:
    run_id = only(importer(line()))
    with reading(importer.ledger.engine) as connection:
        importer.images.path(connection.scalars(select(edits.c.image)).one()).unlink()

    (found,) = findings(Inspection(importer.ledger, importer.images))

    assert (found.standing, found.remedy) == (Standing.LEFT, "import the published scores again, which stores it anew")
    assert progress_of(importer.ledger.engine, run_id).complete
    importer(line())
    assert list(findings(Inspection(importer.ledger, importer.images))) == []


def test_a_worker_is_not_brought_down_by_an_imported_score_that_waits(importer: Importer) -> None:
    importer(line())
    with transaction(importer.ledger.engine) as connection:
        connection.execute(delete(scores))
    list(findings(Inspection(importer.ledger, importer.images)))  # which queues what is missing

    with importer.ledger.read() as (connection, now):
        assert [opening.model.name for opening in Lookout().look(connection, now).openings] == ["imported"] * 2
