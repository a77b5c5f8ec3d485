"""Any order of claims, outcomes, heartbeats, clock jumps and commands: no outcome is lost, doubled or overwritten."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)
from sqlalchemy import select, true

from db.doorbells import owe_lost, take_owed
from db.engine import open_engine, reading
from db.jobs import Claim, EditClaim, Failure, ScoreClaim
from db.ledger import Ledger
from db.owner import Owner
from db.queries import progress_of
from db.tables import JOB_TABLES, FailureKind, Stage, State
from tests.conftest import Clock
from tests.db.crashes import Crash, crashing
from tests.db.steps import claim_edit, claimant, claimed_scores, empty_ledger, finish_edit, finish_score, job_ids, owner
from tests.db.what_must_hold import (
    Hold,
    Rows,
    check_that_attempts_stay_within_what_is_allowed,
    check_that_every_edit_has_one_row_and_once_it_is_done_one_score_per_scorer,
    check_that_the_newest_attempt_wrote_the_outcome,
    check_that_what_runs_is_what_is_held,
    mark_of,
)
from tests.factories import enter

LEASE_SECONDS = 30
SAMPLES = 2
SCORERS = [{"name": "simulated", "batch_size": 2}, {"name": "simulated", "label": "strict"}]

UNWANTED = (State.FAILED, State.CANCELLED)

owners = st.builds(owner, st.integers(1, 3), st.sampled_from(["d-1", "d-2"]))
places = st.integers(0, SAMPLES * len(SCORERS) - 1)


STEPS: dict[str, Callable[[LedgerMachine, Claim, Owner, int], object]] = {
    "claim": lambda machine, _claim, by, place: claim_edit(machine.ledger, machine.edits[place % SAMPLES], by),
    "finish": lambda machine, claim, _by, _place: machine.is_finished(claim),
    "fail": lambda machine, claim, _by, _place: machine.ledger.fail(claim, Failure(FailureKind.STORE, "x", again=True)),
    "renew": lambda machine, _claim, by, _place: machine.ledger.renew(by.process),
    "release": lambda machine, _claim, by, _place: machine.ledger.release(by.process),
    "hand back": lambda machine, _claim, by, _place: machine.ledger.hand_back(by.process, "killed by signal 9"),
    "release what was not begun": lambda machine, claim, _by, _place: machine.ledger.release_unbegun([claim]),
    "hand back what is lost": lambda machine, _claim, _by, _place: machine.ledger.hand_back_lost(),
    "cancel": lambda machine, _claim, _by, _place: machine.ledger.cancel(machine.run_id),
    "retry": lambda machine, _claim, _by, _place: machine.ledger.retry(machine.run_id),
    "resume": lambda machine, _claim, _by, _place: machine.ledger.resume(machine.run_id),
    "remake": lambda machine, _claim, _by, place: machine.ledger.remake([machine.edits[place % SAMPLES]]),
    "settle": lambda machine, _claim, _by, _place: machine.ledger.settle_clock(),
    "announce": lambda machine, _claim, _by, _place: take_owed(machine.ledger, Stage.EDIT),
    "look for lost messages": lambda machine, _claim, _by, _place: owe_lost(machine.ledger, Stage.SCORE, 0),
}
"""Everything that writes, as one transaction each."""


class LedgerMachine(RuleBasedStateMachine):
    """A ledger, and beside it the plainest possible record of who holds what."""

    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        database = Path(self.folder.name) / "ledger.db"
        database.write_bytes(empty_ledger())
        self.clock = Clock()
        self.ledger = Ledger(open_engine(f"sqlite:///{database}"), lease_seconds=LEASE_SECONDS, clock=self.clock)
        self.holds: dict[tuple[Stage, int], Hold] = {}
        self.states: Counter[tuple[Stage, State]] = Counter()
        self.run_id = enter(self.ledger, SAMPLES, scorers=SCORERS)
        self.edits = job_ids(self.ledger, Stage.EDIT, self.run_id)

    def teardown(self) -> None:
        try:
            self.check_that_every_job_ends()
        finally:
            self.ledger.engine.dispose()
            self.folder.cleanup()

    # -- workers -------------------------------------------------------------------------------------------------------

    @rule(target=claims, place=places, by=owners)
    def claim_edit(self, place: int, by: Owner) -> MultipleResults[Claim]:
        claim = claim_edit(self.ledger, self.edits[place % SAMPLES], by)
        return self.note_claims([] if claim is None else [claim], by)

    @precondition(lambda self: self.states[Stage.EDIT, State.DONE])
    @rule(target=claims, limit=st.integers(1, 3), by=owners, ahead=st.booleans())
    def claim_scores(self, limit: int, by: Owner, ahead: bool) -> MultipleResults[Claim]:
        tried = {row.id for stage, row in self.rows() if stage is Stage.SCORE and row.last_words is not None}
        given = self.ledger.claim_scores(true(), claimant(by), limit, ahead=ahead)
        assert len(given) <= limit
        if tried & {claim.job_id for claim in given}:
            assert len(given) == 1 and not ahead
        return self.note_claims(given, by)

    @rule(claim=claims)
    def finish(self, claim: Claim) -> None:
        assert self.is_finished(claim) == self.was_held(claim)

    @rule(claim=consumes(claims), again=st.booleans())
    def fail(self, claim: Claim, again: bool) -> None:
        state = self.ledger.fail(claim, Failure(FailureKind.STORE, f"attempt {claim.attempt}", again=again))
        assert (state is not None) == self.was_held(claim)

    @precondition(lambda self: self.holds)
    @rule(by=owners)
    def renew(self, by: Owner) -> None:
        held = [hold for hold in self.holds.values() if hold.owner.process == by.process]
        assert self.ledger.renew(by.process) == len(held)
        for hold in held:
            hold.lease_until = self.clock.now + LEASE_SECONDS

    @precondition(lambda self: self.holds)
    @rule(by=owners)
    def release(self, by: Owner) -> None:
        held = [job for job, hold in self.holds.items() if hold.owner.process == by.process]
        assert self.ledger.release(by.process) == len(held)
        self.drop(held)

    @rule(claim=consumes(claims))
    def release_unbegun(self, claim: Claim) -> None:
        self.ledger.release_unbegun([claim])
        self.was_held(claim)

    @precondition(lambda self: self.holds)
    @rule(by=owners)
    def die(self, by: Owner) -> None:
        """The process dies, and its parent hands back what it held."""
        held = [job for job, hold in self.holds.items() if hold.owner.process == by.process]
        assert self.ledger.hand_back(by.process, "killed by signal 9") == len(held)
        self.drop(held)

    @rule(by=owners)
    def ask_whether_a_claim_counts(self, by: Owner) -> None:
        assert self.ledger.holds(by) == any(hold.owner == by for hold in self.holds.values())

    # -- crashes -------------------------------------------------------------------------------------------------------

    @rule(claim=claims, by=owners, place=places, step=st.sampled_from(sorted(STEPS)), statement=st.integers(0, 8))
    def crash(self, claim: Claim, by: Owner, place: int, step: str, statement: int) -> None:
        """Whoever crashes before a statement, or before the commit at the latest, has changed nothing."""
        before = self.rows()
        with crashing(self.ledger.engine, statement), pytest.raises(Crash):
            STEPS[step](self, claim, by, place)
        assert self.rows() == before

    # -- time, the reconciler and the user -----------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([10, LEASE_SECONDS, 100]))
    def pass_time(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule(seconds=st.sampled_from([-3600, 3600]))
    def jump_in_time(self, seconds: int) -> None:
        """The database's clock is set; those who live renew before anyone judges by it."""
        self.clock.now += seconds
        if seconds < 0:
            self.ledger.settle_clock()
        for hold in self.holds.values():
            assert self.ledger.renew(hold.owner.process) > 0
            hold.lease_until = self.clock.now + LEASE_SECONDS
        assert self.ledger.hand_back_lost() == 0

    @precondition(lambda self: self.holds)
    @rule()
    def hand_back_lost(self) -> None:
        lost = [job for job, hold in self.holds.items() if hold.lease_until <= self.clock.now]
        assert self.ledger.hand_back_lost() == len(lost)
        self.drop(lost)

    @rule(stage=st.sampled_from(Stage))
    def lose_every_message(self, stage: Stage) -> None:
        take_owed(self.ledger, stage)

    @precondition(lambda self: self.holds)
    @rule(back=st.booleans())
    def cancel(self, back: bool) -> None:
        self.ledger.cancel(self.run_id)
        self.holds.clear()
        if back:
            self.ledger.resume(self.run_id)

    @precondition(lambda self: self.states[Stage.EDIT, State.DONE])
    @rule(place=places)
    def lose_an_image(self, place: int) -> None:
        """The image of an edit is gone: it is made again, and its scores were those of another image."""
        edit = self.edits[place % SAMPLES]
        lost = any(row.id == edit and row.state == State.DONE for stage, row in self.rows() if stage is Stage.EDIT)
        gone = [row.id for stage, row in self.rows() if stage is Stage.SCORE and row.edit_id == edit]
        assert self.ledger.remake([edit]) == lost
        if lost:
            self.drop([(Stage.SCORE, score) for score in gone if (Stage.SCORE, score) in self.holds])

    @precondition(lambda self: any(self.states[stage, state] for stage in Stage for state in UNWANTED))
    @rule()
    def ask_again(self) -> None:
        self.ledger.resume(self.run_id)
        self.ledger.retry(self.run_id)

    # -- what must hold ------------------------------------------------------------------------------------------------

    @invariant()
    def all_that_must_hold_holds(self) -> None:
        rows = self.rows()
        self.states = Counter((stage, State(row.state)) for stage, row in rows)
        check_that_every_edit_has_one_row_and_once_it_is_done_one_score_per_scorer(rows, self.edits, len(SCORERS))
        for stage, row in rows:
            check_that_what_runs_is_what_is_held(row, self.holds.get((stage, row.id)))
            check_that_the_newest_attempt_wrote_the_outcome(stage, row)
            check_that_attempts_stay_within_what_is_allowed(row)

    def check_that_every_job_ends(self) -> None:
        self.work_until_nothing_is_open()
        self.ledger.resume(self.run_id)
        self.ledger.retry(self.run_id)
        self.work_until_nothing_is_open()
        assert progress_of(self.ledger.engine, self.run_id).complete

    def work_until_nothing_is_open(self) -> None:
        """Do what a farm does once everything lives: reconcile, ring, answer. Only messages tell what is to be done."""
        for _ in range(3):  # what was lost, the edits, their scores
            self.clock.now += 1000
            self.ledger.hand_back_lost()
            for stage in Stage:
                owe_lost(self.ledger, stage, messages_in_queue=0)
                for doorbell in take_owed(self.ledger, stage):
                    for claim in self.answer(stage, doorbell.job_id):
                        assert self.is_finished(claim)
        assert progress_of(self.ledger.engine, self.run_id).finished

    # -- steps ---------------------------------------------------------------------------------------------------------

    def answer(self, stage: Stage, job_id: int) -> list[Claim]:
        if stage is Stage.SCORE:
            return list(claimed_scores(self.ledger, [job_id], owner(9)))
        claim = claim_edit(self.ledger, job_id, owner(9))
        return [] if claim is None else [claim]

    def note_claims(self, given: list[Any], by: Owner) -> MultipleResults[Claim]:
        for claim in given:
            assert (claim.stage, claim.job_id) not in self.holds
            self.holds[claim.stage, claim.job_id] = Hold(claim, by, self.clock.now + LEASE_SECONDS)
        return multiple(*given)

    def is_finished(self, claim: Claim) -> bool:
        mark = mark_of(claim.attempt)
        if isinstance(claim, EditClaim):
            return finish_edit(self.ledger, claim, mark, seconds=1.0, detail={}) is not None
        assert isinstance(claim, ScoreClaim)
        return finish_score(self.ledger, claim, 5.0, seconds=1.0, detail={"by": mark})

    def was_held(self, claim: Claim) -> bool:
        """Tell whether this very claim is the one that counts; its outcome ends it."""
        job = (claim.stage, claim.job_id)
        held = job in self.holds and self.holds[job].claim == claim
        if held:
            del self.holds[job]
        return held

    def drop(self, jobs: list[tuple[Stage, int]]) -> None:
        for job in jobs:
            del self.holds[job]

    def rows(self) -> Rows:
        with reading(self.ledger.engine) as connection:
            return [(stage, row) for stage, jobs in JOB_TABLES.items() for row in connection.execute(select(jobs))]


LedgerMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, derandomize=True, database=None
)
TestLedgerMachine = LedgerMachine.TestCase
