"""Every error that a person at the keyboard can mend: one line each, with the exit code it ends a command with."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """Return what an error says in one line; its type where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class FarmError(Exception):
    """Something the user can mend; shown as one line, without a traceback."""

    exit_code = 2


class WrongCall(FarmError):
    """An option, a setting or a run configuration that does not hold."""


class UnknownRun(WrongCall):
    """No run of this id is in the ledger."""


class ServiceUnreachable(FarmError):
    """The broker or the database does not answer."""

    exit_code = 3


class BenchmarkInvalid(FarmError):
    """A benchmark file with faults; `faults` names each by its place, and nothing of the file was taken."""

    exit_code = 4

    def __init__(self, message: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class ImageFault(FarmError):
    """Image bytes that cannot be used; the message says why."""

    exit_code = 4
