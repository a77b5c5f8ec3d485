"""A submit that is killed at any point is mended by submitting again: before rows, after rows, between messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from db.doorbells import QUIET_SECONDS, owe_lost, take_owed
from db.engine import open_engine
from db.images import FolderStore
from db.jobs import Doorbell
from db.ledger import Ledger
from db.queries import all_runs, progress_of
from db.tables import Stage, State
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from producer.benchmark import open_benchmark
from producer.submit import submit
from tests.conftest import Clock
from tests.factories import configuration, original_file

PAIRS = 3


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, no clean-up either."""


class Death:
    """Strikes before the step of that number; statements, commits and messages are steps. Then all is refused."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.sent: list[Doorbell] = []

    def step(self, *_: object) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def send(self, doorbell: Doorbell) -> None:
        self.step()
        self.sent.append(doorbell)

    @contextmanager
    def over(self, engine: Engine) -> Iterator[None]:
        event.listen(engine, "before_cursor_execute", self.step)
        event.listen(engine, "commit", self.step)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", self.step)
            event.remove(engine, "commit", self.step)


def attempt(folder: Path, death: Death, clock: Clock) -> tuple[Ledger, FolderStore]:
    """Submit until death strikes; return what is left of it."""
    folder.mkdir(exist_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    ledger, images = Ledger(engine, clock=clock), FolderStore(folder / "images")
    benchmark = open_benchmark(original_file(folder, pairs=PAIRS))
    with death.over(engine):
        submit(benchmark, configuration(), ledger=ledger, images=images, send=death.send)
    return ledger, images


def steps_of_a_submit(folder: Path, clock: Clock) -> int:
    death = Death(1_000_000)
    attempt(folder, death, clock)[0].engine.dispose()
    return 1_000_000 - death.left


def test_a_submit_that_is_killed_at_any_step_is_whole_after_a_second_one(tmp_path: Path, clock: Clock) -> None:
    steps = steps_of_a_submit(tmp_path / "whole", clock)
    assert steps > 20
    for step in range(steps):
        folder = tmp_path / str(step)
        first, second = Death(step), Death(1_000_000)
        with pytest.raises(Killed):
            attempt(folder, first, clock)
        ledger, images = attempt(folder, second, clock)

        clock.now += QUIET_SECONDS + 1  # a message that was marked and never sent is found by the queue's length
        owe_lost(ledger, Stage.EDIT, messages_in_queue=0)
        found = [bell.job_id for bell in [*first.sent, *second.sent, *take_owed(ledger, Stage.EDIT)]]

        (run,) = all_runs(ledger.engine)
        assert progress_of(ledger.engine, run.id).edits.by_state == {State.QUEUED: PAIRS}, step
        assert set(found) == {1, 2, 3}, step
        assert list(findings(Inspection(ledger, images, None, repair=False))) == [], step
        ledger.engine.dispose()


def test_a_submit_that_is_killed_before_its_run_is_in_leaves_no_job(tmp_path: Path, clock: Clock) -> None:
    steps = steps_of_a_submit(tmp_path / "whole", clock)
    seen = set()
    for step in range(steps):
        death = Death(step)
        with pytest.raises(Killed):
            attempt(tmp_path / str(step), death, clock)
        engine = open_engine(f"sqlite:///{tmp_path / str(step) / 'ledger.db'}")
        edits = sum(progress_of(engine, run.id).edits.total for run in all_runs(engine))
        engine.dispose()
        assert edits in (0, PAIRS), step  # all or nothing
        assert edits or not death.sent, step  # no message before its rows
        seen.add((edits, len(death.sent)))
    assert {(0, 0), (PAIRS, 0), (PAIRS, 1), (PAIRS, 2)} <= seen
