"""What a worker is at, as it is told while a job runs: sent by workers as Celery events, shown by `watch`.

Nothing depends on it: an event that is lost costs a glance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

EVENT = "task-progress"
"""The type of the event; Flower counts it and shows the task as in PROGRESS."""

LARGEST = 2**63
"""Below it is every number that an event may say: a larger one nobody means, and could not be put into words."""


@dataclass(frozen=True)
class Activity:
    """What one worker is at: `loading`, `editing`, `scoring` or what it waits for, and with which model.

    `step` of `steps` denoising steps are done, at `steps_per_second`; 0 where there are none. Of its GPUs' memory,
    `memory_bytes` in all, `memory_used_bytes` are taken, by whomever; 0 where it has none.
    """

    gpu: str
    what: str
    model: str
    key: str = ""
    step: int = 0
    steps: int = 0
    steps_per_second: float = 0.0
    memory_used_bytes: int = 0
    memory_bytes: int = 0

    def fields(self) -> dict[str, Any]:
        """Return the fields of the event."""
        return asdict(self)

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Self | None:
        """Return what the event says; None for what is no such event. Older workers tell nothing of memory."""
        said = {**_ADDED_LATER, **event}
        try:
            fields = {name: type(default)(said[name]) for name, default in _BLANK.items()}
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        numbers = (value for value in fields.values() if not isinstance(value, str))
        return cls(**fields) if all(0 <= number < LARGEST for number in numbers) else None

    def __str__(self) -> str:
        if self.steps:
            return f"step {self.step}/{self.steps} {self.steps_per_second:.1f} it/s"
        return f"{self.what} {self.model}"


_BLANK = asdict(Activity(gpu="", what="", model=""))
_ADDED_LATER = {name: _BLANK[name] for name in ("memory_used_bytes", "memory_bytes")}
