"""How counts are said."""

from __future__ import annotations

import pytest

from producer.words import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 edits"), (1, "1 edit"), (2, "2 edits"), (12_345, "12,345 edits")])
def test_only_one_is_said_in_the_singular(count: int, said: str) -> None:
    assert counted(count, "edit") == said
