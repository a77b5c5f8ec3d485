"""What tests of the commands find in the ledger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.ledger import Ledger
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Shell


@pytest.fixture
def ledger(shell: Shell) -> Iterator[Ledger]:
    """The ledger that the commands see."""
    with shell.ledger() as ledger:
        yield ledger


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    """A run with a failed edit and two scores of four."""
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c", "未知指令")
    run.score("a", "严", 6)
    run.score("a", "宽", 3)
    return run
