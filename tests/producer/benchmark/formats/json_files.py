"""Any JSON in any spelling, and what comes out of it in pieces of any size."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import strategies as st

from producer.benchmark.formats import json_events, json_mistakes
from producer.benchmark.formats.json_events import Event, JsonEvents
from producer.benchmark.formats.json_mistakes import JsonFault

AWKWARD = st.sampled_from(
    ["{", "}", '"', "\\", "\\\\", '{"a": {', "\\u007b", "[{", "物", "👩‍👩‍👧", "\x00", "\n", "é{", "/"]
)


TEXTS = st.lists(AWKWARD | st.characters(exclude_categories=["Cs"]), max_size=6).map("".join)


NUMBERS = st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)


SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS


VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


DOCUMENTS = st.lists(VALUES, max_size=5) | st.dictionaries(TEXTS, VALUES, max_size=5)


PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)  # which takes minutes


BUFFERS = st.integers(1, 40)


CHOICES = st.integers(0, 2**32).map(random.Random)


class Writer:
    """Writes a value as JSON with any white space and any spelling of its texts; `objects` are their first bytes."""

    def __init__(self, choices: random.Random) -> None:
        self.bytes = bytearray()
        self.objects: list[int] = []
        self._choices = choices

    def value(self, value: Any) -> None:
        self._space()
        if isinstance(value, dict):
            self.objects.append(len(self.bytes))
            self._among("{}", list(value.items()), self._member)
        elif isinstance(value, list):
            self._among("[]", value, self.value)
        else:
            self.bytes += json.dumps(value, ensure_ascii=self._choices.random() < 0.5).encode()
        self._space()

    def _member(self, member: tuple[str, Any]) -> None:
        self.value(member[0])
        self.bytes += b":"
        self.value(member[1])

    def _among(self, brackets: str, parts: list[Any], write: Any) -> None:
        self.bytes += brackets[0].encode()
        for number, part in enumerate(parts):
            self.bytes += b"," * bool(number)
            write(part)
        self._space()
        self.bytes += brackets[1].encode()

    def _space(self) -> None:
        self.bytes += self._choices.choice([b"", b"", b" ", b"\r\n", b"\t  \n"])


def written(value: Any, choices: random.Random) -> Writer:
    writer = Writer(choices)
    writer.value(value)
    return writer


@contextmanager
def buffers(smallest: int, largest: int) -> Iterator[None]:
    """Have files read in pieces of such sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_events, "_BUFFER", smallest)
        patch.setattr(json_events, "_LARGEST_BUFFER", max(smallest, largest))
        patch.setattr(json_mistakes, "_AT_ONCE", max(smallest, largest))
        yield


def events_of(content: bytes) -> tuple[list[Event], list[int], JsonFault | None]:
    """Return the events, the bytes of the objects, and the fault that they end in."""
    found: list[Event] = []
    objects: list[int] = []
    events = JsonEvents(io.BytesIO(content))
    try:
        for event in events:
            found.append(event)
            if event[0] == "start_map":
                objects.append(events.byte)
    except JsonFault as fault:
        return found, objects, fault
    return found, objects, None


def fault_of(content: bytes) -> JsonFault:
    _, _, fault = events_of(content)
    assert fault is not None
    return fault
