"""What a verbose watch writes of every score."""

from __future__ import annotations

import io
import re

from rich.console import Console

from db.ledger import Ledger
from producer.watch import watch
from tests.producer.by_hand import RunByHand
from tests.producer.watch.watched import found


def test_a_further_judgement_of_an_edit_says_which_it_is(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=[{"name": "simulated", "label": "严", "repeats": 2}])
    run.edit("a")
    run.score("a", "严", 3)
    run.score("a", "严", 9, judge_repeat=1)
    file = io.StringIO()

    watch(ledger.engine, found(run), Console(width=100, file=file), verbose=True)

    assert re.findall(r"a  严.*\d\.\d\d", file.getvalue()) == ["a  严  3.00", "a  严 #1  9.00"]
