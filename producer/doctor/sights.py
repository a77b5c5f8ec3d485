"""What checks look at, read once for all and only when one asks: each may be gone, and the others still seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from db.gpus import Driver, look_at_gpus
from db.settings import Settings, settings
from producer.doctor.broker_sight import Broker, read_broker
from producer.doctor.database_sight import Database, LedgerSight, read_database, read_ledger
from producer.doctor.finding import Unseen
from producer.doctor.weights import Weights, named_weights, weights_of

PATIENCE_SECONDS = 10.0
"""So long a check waits for what another one is reading; then it is for that one to say that nothing comes."""

_T = TypeVar("_T")


class Once(Generic[_T]):
    """Something that is read by the first who asks, from whatever thread; the others get the same."""

    def __init__(self, read: Callable[[], _T], patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._read = read
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._found: _T | Exception | None = None
        self._done = False

    def __call__(self) -> _T:
        """Return what was read. Raises Unseen where it could not be."""
        found = self.tried()
        if isinstance(found, Exception):
            raise Unseen from found
        return found

    def tried(self) -> _T | Exception:
        """Return what was read, or what came in the way; Unseen where another has been reading it for too long."""
        if not self._lock.acquire(timeout=self._patience_seconds):
            return Unseen()
        try:
            if not self._done:
                self._found = self._read()
        except Exception as error:  # noqa: BLE001 - kept for the check that is about it
            self._found = error
        finally:
            self._done = True
            self._lock.release()
        return self._found  # type: ignore[return-value]  # None only where reading gives None


class Sights:
    """Settings, broker, database, ledger and GPUs as they are now; `models` are names that a person asked about."""

    def __init__(self, models: Sequence[str] = (), *, asks_judges: bool = False) -> None:
        self.models = tuple(weights for name in models for weights in named_weights(name))
        self.asks_judges = asks_judges
        self.settings: Once[Settings] = Once(settings)
        self.broker: Once[Broker] = Once(lambda: read_broker(self.settings()))
        self.database: Once[Database] = Once(lambda: read_database(self.settings()))
        self.ledger: Once[LedgerSight] = Once(lambda: read_ledger(self.database()))
        self.gpus: Once[Driver | None] = Once(look_at_gpus)

    def weights(self) -> list[Weights]:
        """Return the weights that were asked about and those of the runs that are not finished, each once."""
        ledger = self.ledger.tried()
        waiting = () if isinstance(ledger, Exception) else ledger.models
        return list(
            dict.fromkeys([*self.models, *(one for role, choice in waiting for one in weights_of(role, choice))])
        )
