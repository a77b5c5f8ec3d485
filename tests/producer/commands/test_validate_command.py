"""`validate` as a user meets it."""

from __future__ import annotations

import json

import pytest

from tests.factories import original_file, pair
from tests.producer.shell import Shell

pytestmark = pytest.mark.integration


def test_validate_tells_what_is_in_a_benchmark_and_enters_nothing(shell: Shell) -> None:
    done = shell("validate", original_file(shell.folder, pairs=3))
    told = json.loads(shell("validate", original_file(shell.folder, pairs=3), "--json").out)

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "benchmark: 3 samples, format original",
        "  images: 1 distinct",
        "  with a reference image: 0; with several sources: 0",
        f"  digest: {told['benchmark']}",
        "  物理 (physical): 3",
    ]
    assert (told["samples"], told["categories"]) == (3, {"物理": 3})
    assert not shell.home.exists()


def test_validate_names_every_fault_and_says_so_by_its_exit_code(shell: Shell) -> None:
    pairs = [pair("a", edit_instruction=" "), pair("b"), pair("b")]

    done = shell("validate", original_file(shell.folder, {"categories": {"物理": {"pairs": pairs}}}))

    assert (done.code, done.out) == (4, "")
    assert len(done.err.splitlines()) == 3
    assert not shell.home.exists()
