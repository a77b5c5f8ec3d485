"""A run whose jobs a test works off by hand, one named sample at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from db.images import digest_of
from db.intake import enter_run, enter_samples
from db.jobs import Claimant, EditClaim, Failure, ScoreClaim
from db.ledger import Ledger
from db.owner import Owner, this_process
from db.tables import FailureKind, State, edits, run_scorers, samples, scores
from tests.db.steps import finish_edit, finish_score
from tests.factories import configuration, content_digest, png

SCORERS = [{"name": "simulated", "label": label, "batch_size": 1} for label in ("严", "宽")]
"""Two scorers that are claimed one score at a time."""

SAMPLES = [("社会", "a"), ("物理", "b"), ("社会", "c")]
"""Categories in an order that is neither alphabetical nor grouped."""


class RunByHand:
    """A run in the ledger; each method does one job of it as a worker would."""

    def __init__(
        self,
        ledger: Ledger,
        entries: Sequence[tuple[str, str]] = SAMPLES,
        *,
        name: str = "评测",
        sources: Sequence[str] | None = None,
        extras: Sequence[Mapping[str, Any]] | None = None,
        **given: Any,
    ) -> None:
        """`sources` names each sample's source image; without it all have the same. `extras` are further columns."""
        self.ledger = ledger
        rows = [
            {
                "position": position,
                "key": key,
                "category": category,
                "instruction": "变亮",
                "description": None,
                "source_image": digest_of(sources[position].encode() if sources else png()),
                "reference_image": None,
                **(extras[position] if extras else {}),
            }
            for position, (category, key) in enumerate(entries)
        ]
        benchmark = content_digest(rows)
        enter_samples(ledger.engine, benchmark, name, len(rows), [rows])
        self.id = enter_run(ledger.engine, benchmark, configuration(**{"scorers": SCORERS, **given}))[0]

    def edit(self, *keys: str, repeat: int = 0) -> None:
        """Make these edits."""
        for key in keys:
            assert (
                finish_edit(self.ledger, self.start_edit(key, repeat), digest_of(b""), seconds=1, detail={}) is not None
            )

    def fail_edit(self, key: str, reason: str = "no such instruction", repeat: int = 0) -> None:
        """End an edit without an image."""
        assert self.ledger.fail(self.start_edit(key, repeat), Failure(FailureKind.INPUT, reason)) is State.FAILED

    def score(
        self, key: str, label: str, value: float, repeat: int = 0, judge_repeat: int = 0, **criteria: float
    ) -> None:
        """Give a score, with what it says of each criterion."""
        claim = self.start_score(key, label, repeat, judge_repeat=judge_repeat)
        detail = {"criteria": criteria} if criteria else {}
        assert finish_score(self.ledger, claim, value, seconds=1, detail=detail)

    def fail_score(
        self,
        key: str,
        label: str,
        reason: str = "unreadable",
        repeat: int = 0,
        *,
        kind: FailureKind = FailureKind.MODEL,
    ) -> None:
        """End a score without a value."""
        claim = self.start_score(key, label, repeat)
        assert self.ledger.fail(claim, Failure(kind, reason)) is State.FAILED

    def start_edit(self, key: str, repeat: int = 0, worker: str = "edit-0") -> EditClaim:
        """Claim an edit and leave it under way."""
        (claim,) = self.ledger.claim_edits(edits.c.id == self._edit_id(key, repeat), _claimant(worker))
        return claim

    def start_score(
        self, key: str, label: str, repeat: int = 0, worker: str = "score-0", *, judge_repeat: int = 0
    ) -> ScoreClaim:
        """Claim a score and leave it under way."""
        query = select(scores.c.id).join(run_scorers, scores.c.scorer_id == run_scorers.c.id)
        by_whom = (run_scorers.c.label == label, run_scorers.c.repeat == judge_repeat)
        score_id = self._only(query.where(scores.c.edit_id == self._edit_id(key, repeat), *by_whom))
        (claim,) = self.ledger.claim_scores(scores.c.id == score_id, _claimant(worker))
        return claim

    def _edit_id(self, key: str, repeat: int) -> int:
        here: ColumnElement[bool] = edits.c.run_id == self.id
        query = select(edits.c.id).join(samples, edits.c.sample_id == samples.c.id)
        return self._only(query.where(here, samples.c.key == key, edits.c.repeat == repeat))

    def _only(self, query: Any) -> int:
        with self.ledger.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


def _claimant(worker: str) -> Claimant:
    return Claimant(Owner(this_process(), "delivery"), worker)
