"""What a rival is told, on its standard input, and what it answers on the last line of its output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from benchmarks.drawn_work.workload import Workload


@dataclass(frozen=True)
class Plan:
    """The work, the pace of each card, and a Redis server for who needs one."""

    workload: Workload
    paces: Sequence[float]
    broker_url: str = ""

    def to_json(self) -> str:
        """Return what `read` reads."""
        return json.dumps({"workload": self.workload.to_json(), "paces": self.paces, "broker_url": self.broker_url})

    @classmethod
    def read(cls) -> Self:
        """Read the plan from standard input."""
        fields = json.load(sys.stdin)
        return cls(Workload.from_json(fields["workload"]), fields["paces"], fields["broker_url"])


def answer(seconds: float, library: str | None = None) -> None:
    """Say how long it took, and with which library."""
    sys.stdout.write(f"\n{json.dumps({'seconds': seconds, 'library': library})}\n")


def compute(seconds: float, pace: float) -> None:
    """Do what a card of pace 1 does in so many seconds: sleep."""
    time.sleep(seconds / pace)
