"""What a stint has claimed and not begun: claimed a block at a time, read a unit at a time, in the end given back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from db.jobs import Claim, EditClaim, ScoreClaim
from db.tables import Stage
from workers.job_ids import logged_as_of
from workers.stint.desk import Desk
from workers.stint.reading import Reader
from workers.stint.supply import Block

STINT_SECONDS = 300.0
"""After so long nothing more is claimed, the message acknowledged; far below the time limit of a task."""

FIRST_WAIT_SECONDS = 0.02
"""How long a worker without work waits before it looks again, at first; then twice as long each time."""

LOOKS_WHILE_LINGERING = 5
"""How often it is looked, in the time for which a batch may fill, whether there is more to judge."""


@dataclass
class Unit:
    """What is done in one go: an edit, or scores that are judged together; with what was read for it."""

    block: Block
    claims: Sequence[Claim]
    requests: Any

    @property
    def alone(self) -> bool:
        """Whether it ended badly before: nothing else is in hand while it is tried."""
        return any(claim.tried_before for claim in self.claims)


class InHand:
    """Of one stint; while it waits for a batch to fill, `hand_over` has what ended kept."""

    def __init__(self, desk: Desk, hand_over: Callable[[], None]) -> None:
        self._desk = desk
        self._hand_over = hand_over
        self._reader = Reader(desk.images, desk.outages.outlast)
        self._unread: deque[tuple[Block, Sequence[Claim]]] = deque()
        self._coming: Future[Unit | None] | None = None
        self._until = time.monotonic() + STINT_SECONDS

    @property
    def may_claim(self) -> bool:
        """Whether the stint goes on for long enough yet."""
        return time.monotonic() < self._until

    def next(self, *, ahead: bool = False) -> Unit | None:
        """Return the next unit, its images read; None when there is none, or none that may be claimed yet."""
        if not self._unread and not self.claim(ahead=ahead):
            return None
        block, claims = self._unread.popleft()
        with logged_as_of(claims):
            return Unit(block, claims, self._read(claims))

    def read_ahead(self, ahead: Executor) -> None:
        """Begin to make the next unit ready beside the one that is done now."""
        self._coming = ahead.submit(self.next, ahead=True)

    def came(self) -> Unit | None:
        """Return what was made ready ahead, read by now; None when nothing was."""
        coming, self._coming = self._coming, None
        return coming.result() if coming is not None else None

    def claim(self, *, ahead: bool) -> bool:
        """Claim what is to be done next; tell whether there is anything."""
        desk, stages = self._desk, self._desk.stages()
        if not stages or not self.may_claim:
            return False
        if not ahead:
            self._linger(stages)
        block = desk.outages.outlast("the ledger", lambda: desk.supply.take(stages, desk.claimant(), ahead=ahead))
        if block is None:
            return False
        opening = block.opening
        size = 1 if opening.stage is Stage.EDIT else desk.sizes.limit(opening.model, opening.batch_size)
        self._unread.extend((block, block.claims[start : start + size]) for start in range(0, len(block.claims), size))
        return True

    def put_back(self, unit: Unit | None) -> None:
        """Take back what was not begun after all."""
        if unit is not None:
            self._unread.appendleft((unit.block, unit.claims))

    def give_back(self) -> None:
        """Hand back to the ledger what was claimed and not begun."""
        self.put_back(self.came())
        self.release([claim for _, claims in self._unread for claim in claims])
        self._unread.clear()

    def release(self, claims: Sequence[Claim]) -> None:
        """Hand these back as if they had not been begun, as far as they are still ours."""
        if claims:
            self._desk.outages.outlast("the ledger", lambda: self._desk.ledger.release_unbegun(claims))

    def _linger(self, stages: frozenset[Stage]) -> None:
        """Wait a moment for the rest of a batch, to which what has just ended may belong."""
        supply, linger = self._desk.supply, self._desk.linger_seconds
        until = time.monotonic() + linger
        while self._desk.outages.outlast("the ledger", lambda: supply.is_filling(stages)) and time.monotonic() < until:
            self._hand_over()
            time.sleep(max(FIRST_WAIT_SECONDS, linger / LOOKS_WHILE_LINGERING))
            supply.forget()

    def _read(self, claims: Sequence[Claim]) -> Any:
        first = claims[0]
        if isinstance(first, EditClaim):
            return self._reader.edit_request(first)
        return self._reader.score_requests([one for one in claims if isinstance(one, ScoreClaim)])
