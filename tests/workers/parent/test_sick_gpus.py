"""When a parent takes the GPU for sick: by how its children die."""

from __future__ import annotations

import os
import signal

import pytest

from tests.workers.parent.family import Family
from workers.pulse import DEVICE_BROKEN_EXIT

pytestmark = pytest.mark.integration


def test_a_gpu_that_fails_at_two_jobs_in_a_row_is_sick(family: Family) -> None:
    family.child(edit=0, delivery="d-1").exits(DEVICE_BROKEN_EXIT)
    family.look()
    assert family.sick == []
    assert family.children.are_well

    second = family.child(edit=1, delivery="d-2")
    second.does("say", "CUDA error: uncorrectable ECC error encountered\n")
    second.exits(DEVICE_BROKEN_EXIT)
    family.look()

    assert not family.children.are_well
    (reason,) = family.sick
    assert reason.startswith(f"its GPU failed at edit {family.edits[0]} and at edit {family.edits[1]}")
    assert "uncorrectable ECC error" in reason


def test_that_a_gpu_is_sick_is_told_once(family: Family) -> None:
    for edit in (0, 1, 2):
        family.child(edit=edit, delivery=f"d-{edit}").exits(DEVICE_BROKEN_EXIT)
        family.look()

    assert len(family.sick) == 1


def test_a_crash_in_the_gpus_libraries_counts_as_a_gpu_that_fails(family: Family) -> None:
    for edit in (0, 1):
        child = family.child(edit=edit, delivery=f"d-{edit}")
        child.does("say", "terminate called: CUDA error: device-side assert triggered\n")
        os.kill(child.process.pid or 0, signal.SIGABRT)
        child.process.join()
        family.look()

    assert len(family.sick) == 1


def test_a_job_that_breaks_the_gpu_twice_is_to_blame_itself(family: Family) -> None:
    for attempt in range(2):
        family.child(delivery=f"d-{attempt}").exits(DEVICE_BROKEN_EXIT)
        family.look()

    assert family.sick == []


def test_a_gpu_that_did_a_job_between_two_failures_is_not_sick(family: Family) -> None:
    family.child(edit=0, delivery="d-1").exits(DEVICE_BROKEN_EXIT)
    family.look()
    second = family.child(edit=1, delivery="d-2")
    second.does("end")
    assert second.does("claim", family.edits[2], "d-3")
    second.exits(DEVICE_BROKEN_EXIT)
    family.look()

    assert family.sick == []


def test_a_crash_between_two_failures_of_the_gpu_breaks_the_row(family: Family) -> None:
    for edit, code in ((0, DEVICE_BROKEN_EXIT), (1, 1), (2, DEVICE_BROKEN_EXIT)):
        family.child(edit=edit, delivery=f"d-{edit}").exits(code)
        family.look()

    assert family.sick == []
