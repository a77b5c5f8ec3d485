"""All checks at once, none of which can hold up or break another."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence

from db.errors import WrongCall, first_line, one_line
from producer.doctor.finding import Check, Found, State, Trouble, Unseen
from producer.doctor.schema import Finding
from producer.doctor.sights import Sights

LONGEST_SECONDS = 12.0
"""A check that has not ended by then is given up: a server that says nothing, a network folder that hangs."""

_LONGEST_LINE = 500

BROKE = Trouble(
    State.FAULT,
    "the check itself broke; the others go on",
    "this is a bug of editfarm: report it with what was seen and the version, `python -m producer --version`",
)
UNENDED = Trouble(
    State.FAULT,
    "the check did not end in time: what it looks at does not answer",
    "see that what this check looks at answers at all: a server, a network folder, a driver",
)
OF_ANY_CHECK = (BROKE, UNENDED)


def examine(checks: Sequence[Check], sights: Sights, *, seconds: float = LONGEST_SECONDS) -> Iterator[Finding]:
    """Yield what each check finds, in their order, as soon as it is known; no later than `seconds` from now."""
    deadline = time.monotonic() + seconds
    for check in [_Begun(check, sights) for check in checks]:
        yield from check.findings(deadline, seconds)


class _Begun:
    """A check under way in a thread of its own, which is left behind when it does not end."""

    def __init__(self, check: Check, sights: Sights) -> None:
        self._check = check
        self._found: list[Found] | None = None
        self._thread = threading.Thread(target=self._look, args=(sights,), name=check.name, daemon=True)
        self._thread.start()

    def findings(self, deadline: float, seconds: float) -> list[Finding]:
        self._thread.join(max(0.0, deadline - time.monotonic()))
        found = self._found if self._found is not None else [UNENDED(f"nothing for {seconds:.0f} seconds")]
        return [_finding(self._check, one) for one in found]

    def _look(self, sights: Sights) -> None:
        try:
            self._found = list(self._check.look(sights))
        except (Unseen, WrongCall):  # the latter of a setting, which has a check of its own
            self._found = []
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            self._found = [BROKE(f"{type(error).__name__}: {first_line(error)}")]


def _finding(check: Check, found: Found) -> Finding:
    """Return it as data, on one line each: what servers and drivers say may hold anything."""
    fix = None if found.fix is None else one_line(found.fix, _LONGEST_LINE)
    return Finding(
        group=check.group, name=check.name, state=found.state, seen=one_line(found.seen, _LONGEST_LINE), fix=fix
    )
