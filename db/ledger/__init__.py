"""Every state change of every job, in the order of a job's life: claimed, ended, handed back, asked again.

Jobs enter by `db.intake`; from there on this is the only writer. A message is a wake-up call and may come twice, late
or never: what counts is decided here, in one transaction each. Attempts are counted when a job is claimed and nowhere
else; the attempt number fences off a worker that was given up for dead, so that it cannot write over its successor.
"""

from db.ledger.asking_again import AskingAgain
from db.ledger.claiming import Claiming
from db.ledger.ending import Ending
from db.ledger.handing_back import HandingBack
from db.ledger.times import CLOCK_SLACK_SECONDS, Times

__all__ = ["CLOCK_SLACK_SECONDS", "Ledger"]


class Ledger(Claiming, Ending, HandingBack, AskingAgain, Times):
    """The jobs of every run, a file beside this one for each part of their life.

    Safe to use from several threads; each method is one transaction.
    """
