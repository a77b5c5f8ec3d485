"""Which images were seen before."""

from __future__ import annotations

import pytest

from producer.benchmark import digests
from producer.benchmark.digests import Digests


def test_a_digest_is_new_once() -> None:
    known = Digests()

    assert [known.add("a1" * 32), known.add("b2" * 32), known.add("a1" * 32)] == [True, True, False]
    assert "b2" * 32 in known


def test_beyond_the_bound_an_image_is_taken_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "REMEMBERED", 1)
    known = Digests()

    assert [known.add("a1" * 32), known.add("b2" * 32), known.add("b2" * 32), known.add("a1" * 32)] == [
        True,
        True,
        True,
        False,
    ]
