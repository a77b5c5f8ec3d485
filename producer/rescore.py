"""From a run and other scorers to a run of new scores on the same edits, and messages in the queue."""

from __future__ import annotations

from dataclasses import dataclass

from db.configuration import RunConfiguration
from db.doorbells import Send, ring_owed
from db.failed import categories_of
from db.ledger import Ledger
from db.prompts import prompts_from_json
from db.queries import Run
from db.rescoring import enter_rescore
from producer.recipes.follow import require_asked


@dataclass(frozen=True)
class Rescored:
    """A run that is in the ledger, with its messages sent; `new` is False when it was asked for before.

    `without_own_prompts`: nobody knows the benchmark's own prompts any more, so judges were given those built in.
    """

    run_id: str
    new: bool
    without_own_prompts: bool


def rescore(run: Run, configuration: RunConfiguration, *, ledger: Ledger, send: Send) -> Rescored:
    """Enter the run of the new scores, then send messages; judges without prompts get the benchmark's own.

    Raises WrongCall as `enter_rescore` does, and for a category of which a rubric asks nothing; or ServiceUnreachable.
    """
    asked = configuration.with_prompts(prompts_from_json(run.prompts or {}))
    require_asked(asked, asked.categories or categories_of(ledger.engine, run.id))
    run_id, new = enter_rescore(ledger.engine, run.id, asked)
    ring_owed(ledger, send)
    return Rescored(run_id, new, run.prompts is None and asked != configuration)
