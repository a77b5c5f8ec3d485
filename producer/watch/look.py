"""One look at a run: what a watch has to show, on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.lately import Lately
from db.queries import Counts, Progress
from db.tables import Stage, State
from producer.standing.rows import Row
from producer.words import in_words, rate_in_words


@dataclass(frozen=True)
class Look:
    """Where the run stands, how fast it goes, and what each worker is at."""

    progress: Progress
    lately: Lately
    rows: Sequence[Row]

    def counts(self, stage: Stage) -> tuple[Counts, int]:
        """Return the stage's jobs, and how many of them are asked in all."""
        if stage is Stage.EDIT:
            return self.progress.edits, self.progress.edits.total
        return self.progress.scores, self.progress.scores_asked

    def rate(self, stage: Stage) -> str:
        """Return in words how fast the stage goes; empty where it does not, or has ended."""
        return rate_in_words(self.lately.jobs_per_second(stage)) if self._left(stage) else ""

    def time_left(self, stage: Stage) -> str:
        """Return in words how long the stage takes as it goes now; empty where that is not known, or it has ended."""
        seconds = self.lately.seconds_left(stage, self._left(stage))
        return f"{in_words(seconds)} left" if seconds else ""

    @property
    def failed(self) -> int:
        """Jobs that failed, of both stages."""
        return self.progress.edits[State.FAILED] + self.progress.scores[State.FAILED]

    def _left(self, stage: Stage) -> int:
        counts, asked = self.counts(stage)
        return asked - counts.ended
