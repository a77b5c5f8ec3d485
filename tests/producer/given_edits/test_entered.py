"""A run of given images is entered whole or not at all, and goes on where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.engine import open_engine
from db.images import FolderStore, digest_of
from db.ledger import Ledger
from db.queries import all_runs, progress_of
from db.tables import Stage, State
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from tests.conftest import Clock
from tests.factories import original_file
from tests.producer.given_edits.giving import A, B, run_of
from tests.producer.given_folders import Giver, pictures
from tests.producer.test_submit_crashes import Death, Killed

# -- submitted ---------------------------------------------------------------------------------------------------------


def test_a_message_is_sent_for_every_score_and_for_no_edit(giver: Giver, edits: Path) -> None:
    giver(pictures(edits, "p-0.png"), priority="high", scorers=["simulated", "psnr"])

    assert [(bell.stage, bell.priority) for bell in giver.sent] == [(Stage.SCORE, "high")] * 2


def test_the_same_images_go_on_where_they_stand_wherever_they_lie(giver: Giver, edits: Path) -> None:
    first = giver(pictures(edits, "p-0.png", "p-1.png")).submitted
    giver.ledger.cancel(first.run_id)
    elsewhere = edits.parent / "elsewhere" / "model-x"

    second = giver(pictures(elsewhere, "a/p-0.png", "b/p-1.png")).submitted

    assert (second.run_id, second.new) == (first.run_id, False)
    assert progress_of(giver.ledger.engine, first.run_id).scores.by_state == {State.QUEUED: 2}


def test_an_image_that_the_store_has_lost_is_stored_again(giver: Giver, edits: Path) -> None:
    run_id = run_of(giver, pictures(edits, "p-0.png", "p-1.png"))
    giver.images.path(digest_of(A)).unlink()
    assert len(list(findings(Inspection(giver.ledger, giver.images)))) == 1

    giver(edits)

    assert list(findings(Inspection(giver.ledger, giver.images))) == []
    assert giver.given(run_id)["物理", "p-0", 0] == A


def test_an_image_that_is_added_makes_another_run_in_which_it_is_not_missing(giver: Giver, edits: Path) -> None:
    first = giver(pictures(edits, "p-0.png"))
    second = giver(pictures(edits, "p-0.png", "p-1.png"))

    assert [one.missing for one in (first, second)] == [1, 0]
    assert second.submitted.new


# -- killed ------------------------------------------------------------------------------------------------------------


class MortalStore(FolderStore):
    """An image store into which every putting is a step."""

    def __init__(self, folder: Path, death: Death) -> None:
        super().__init__(folder)
        self._death = death

    def put(self, content: bytes) -> str:
        self._death.step()
        return super().put(content)


def attempt(folder: Path, death: Death, clock: Clock) -> Giver:
    """Submit an image and a missing one until death strikes; return what is left of it."""
    folder.mkdir(exist_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    giver = Giver(folder, Ledger(engine, clock=clock), MortalStore(folder / "images", death))
    giver.benchmark = original_file(folder, pairs=3)
    pictures(folder / "model-x", "p-0.png", "p-1.png")
    with death.over(engine):
        giver(folder / "model-x")
    return giver


def test_images_that_are_killed_at_any_step_are_in_whole_or_not_at_all(tmp_path: Path, clock: Clock) -> None:
    whole = Death(1_000_000)
    attempt(tmp_path / "whole", whole, clock).ledger.engine.dispose()
    steps = 1_000_000 - whole.left
    assert steps > 20
    seen = set()
    for step in range(steps):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            attempt(folder, Death(step), clock)
        engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        left = [progress_of(engine, run.id) for run in all_runs(engine)]
        found = list(findings(Inspection(Ledger(engine), FolderStore(folder / "images"), None, repair=False)))
        engine.dispose()
        seen.add(len(left))
        assert not (left and found), step  # a run that is in has its images
        assert {(one.edits[State.DONE], one.edits[State.FAILED], one.scores.total) for one in left} <= {(2, 1, 2)}, step

        giver = attempt(folder, Death(1_000_000), clock)
        (run,) = all_runs(giver.ledger.engine)
        assert list(giver.given(run.id).values()) == [A, B, "missing"], step
        assert list(findings(Inspection(giver.ledger, giver.images, None, repair=False))) == [], step
        giver.ledger.engine.dispose()
    assert seen == {0, 1}
