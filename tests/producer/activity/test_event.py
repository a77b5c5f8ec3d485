"""What a worker says as an event, and which events say nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from db.activity import EVENT, Activity
from tests.producer.activity.conftest import (
    MALFORMED,
    OF_MEMORY,
    STEP,
    WORKER,
)


def test_what_is_read_from_an_event_is_what_was_said() -> None:
    event = {"type": EVENT, "uuid": "1", "hostname": WORKER, **json.loads(json.dumps(STEP.fields()))}

    assert Activity.read(event) == STEP


@pytest.mark.parametrize(
    ("activity", "shown"),
    [
        (STEP, "step 23/40 1.8 it/s"),
        (Activity("2", "editing", "qwen", "a", 1, 40, 0.0), "step 1/40 0.0 it/s"),
        (Activity("2", "loading", "qwen", "a"), "loading qwen"),
        (Activity("", "scoring", "judge"), "scoring judge"),
    ],
)
def test_an_activity_is_shown_by_its_steps_or_by_what_is_done_with_which_model(activity: Activity, shown: str) -> None:
    assert str(activity) == shown


@pytest.mark.parametrize("fields", MALFORMED)
def test_an_event_that_another_version_sent_says_nothing(fields: dict[str, Any]) -> None:
    assert Activity.read(fields) is None


def test_an_event_of_a_version_that_knew_nothing_of_memory_says_all_the_rest() -> None:
    older = {name: value for name, value in STEP.fields().items() if name not in OF_MEMORY}

    assert Activity.read(older) == STEP
    assert Activity.read(STEP.fields() | {"memory_used_bytes": 5, "memory_bytes": 8, "of_a_newer_one": 1}) == replace(
        STEP, memory_used_bytes=5, memory_bytes=8
    )


def test_an_event_of_infinitely_many_steps_says_nothing() -> None:
    assert Activity.read(STEP.fields() | {"step": math.inf}) is None
