"""Every score as it comes in, with the beginning of the judge's reasons: what a verbose watch writes besides."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine

from db.categories import with_alias
from db.errors import one_line
from db.queries import GivenScore, Run, scores_given

OVERLAP_SECONDS = 30.0


class Scores:
    """Writes each score once, as it comes in."""

    def __init__(self, engine: Engine, run: Run, console: Console) -> None:
        self._engine, self._run, self._console = engine, run, console
        self._since = 0.0
        self._written: set[int] = set()

    def show(self) -> None:
        """Write what has come in since."""
        # A commit may become visible after one that was later by the clock, so the last seconds are asked for again.
        given = scores_given(self._engine, self._run.id, self._since - OVERLAP_SECONDS)
        for score in given:
            if score.score_id not in self._written:
                self._written.add(score.score_id)
                self._console.print(_score_line(score), highlight=False, no_wrap=True, overflow="ellipsis")
        self._since = max((score.finished_at for score in given), default=self._since)


def _score_line(score: GivenScore) -> Text:
    name = f"{score.key} #{score.repeat}" if score.repeat else score.key
    reasons = " ".join(score.reasoning.split())
    scorer = f"{score.scorer} #{score.judge_repeat}" if score.judge_repeat else score.scorer
    return Text(one_line(f"{with_alias(score.category)}  {name}  {scorer}  {score.value:.2f}  {reasons}"))
