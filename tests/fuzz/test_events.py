"""Events of any content, as whoever reaches the broker may say them: told in clean words, or taken for none."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from db.activity import Activity
from db.lately import Lately
from db.queries import Worker
from db.tables import Stage
from producer.standing.rows import rows_of
from producer.watch.wording import doing, last_column, place
from tests.fuzz.mutator import FUZZ_INPUTS

QUIET = Lately(now=0, finished=(), unparsed=0)
SAID = Activity("2", "editing", "qwen", "a", 23, 40, 1.8, 5 * 10**9, 8 * 10**9).fields()
ODD_TEXTS = st.sampled_from(["\x1b[2J", "\u202e", "\ud800", "a\0b", "[red]", "n" * 3000]) | st.text(max_size=5)
ODD_NUMBERS = st.sampled_from([10**400, 10**5000, -1, 2**63, "9" * 400]) | st.integers() | st.floats()
ANYTHING = st.none() | st.booleans() | ODD_NUMBERS | ODD_TEXTS | st.lists(ODD_TEXTS, max_size=2)


@settings(max_examples=max(50, FUZZ_INPUTS // 5), deadline=None)
@example(odd={"memory_bytes": 10**400})
@example(odd={"steps": 10**5000})
@example(odd={"steps_per_second": float("nan")})
@given(odd=st.dictionaries(st.sampled_from([*SAID, "more"]), ANYTHING, max_size=3))
def test_an_event_of_any_content_is_told_in_clean_words_or_taken_for_none(odd: dict[str, Any]) -> None:
    said = Activity.read({**SAID, **odd})
    if said is None:
        return
    claimed = Worker("edit-gpu2@h", Stage.EDIT, "qwen", [said.key], 0.0)
    (row,) = rows_of("0123456789ab", [claimed], [], QUIET, lambda _: said)

    assert all(cell.isprintable() and len(cell) <= 1000 for cell in (place(row), *doing(row), *last_column(row)))
    json.dumps(asdict(said), allow_nan=False)
