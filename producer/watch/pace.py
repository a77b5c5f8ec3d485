"""How fast a run goes, asked of the ledger now and then: it costs more than a look, and more where more is done."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Engine

from db.lately import Lately, finished_lately

PACE_SECONDS = 3.0
"""It is asked no oftener than this."""

SHARE, LONGEST_PACE_SECONDS = 0.01, 60.0
"""Of the time so much goes into asking, also where a hundred thousand jobs are done; but it is asked once a minute."""


class Pace:
    """Asks for one run."""

    def __init__(self, engine: Engine, run_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._run_id, self._clock = engine, run_id, clock
        self._lately: Lately | None = None
        self._next_at = 0.0

    def look(self, *, anew: bool = False) -> Lately:
        """Return what was found out last; `anew`: what is so now. Raises OperationalError."""
        now = self._clock()
        if self._lately is None or anew or now >= self._next_at:
            self._lately = finished_lately(self._engine, self._run_id)
            wait = max(PACE_SECONDS, (self._clock() - now) / SHARE)
            self._next_at = now + min(wait, LONGEST_PACE_SECONDS)
        return self._lately
