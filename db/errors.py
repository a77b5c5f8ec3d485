"""The errors that a person at the keyboard can mend: one line each, with the exit code it ends a command with.

One that a single module raises stands in that module. What strangers wrote becomes one harmless line here, too.
"""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """Return what an error says in one line; its type where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def one_line(text: str, longest: int = 1000) -> str:
    """Return the text as a line that a terminal may be shown: of so many characters at most, none of which acts on it.

    What a benchmark file or a decoder says is a stranger's: line breaks, control characters, marks that turn the
    direction of writing and halves of surrogate pairs are written out, as Python writes them.
    """
    shown = (character if character.isprintable() else ascii(character)[1:-1] for character in text[:longest])
    return "".join(shown)[:longest]


class FarmError(Exception):
    """Something the user can mend; shown as one line, without a traceback."""

    exit_code = 2


class WrongCall(FarmError):
    """An option, a setting or a run configuration that does not hold."""


class UnknownRun(WrongCall):
    """No run of this id is in the ledger."""


class UnknownSample(WrongCall):
    """The run has no sample of this name, or none so often repeated."""


class ServiceUnreachable(FarmError):
    """The broker or the database does not answer."""

    exit_code = 3


class StoreAway(ServiceUnreachable, OSError):
    """The server of the image store does not answer, or answers that it cannot just now."""


class StoreRefused(WrongCall, OSError):
    """The server of the image store refuses: no such bucket, no right to it, no credentials."""


class BenchmarkInvalid(FarmError):
    """A benchmark file with faults; `faults` names each by its place, and nothing of the file was taken.

    The message and every fault are one line, whatever stands in the file.
    """

    exit_code = 4

    def __init__(self, message: str, faults: tuple[str, ...] = ()) -> None:
        super().__init__(one_line(message, longest=5000))  # a path alone may have 4,096
        self.faults = tuple(map(one_line, faults))


class ImageFault(FarmError):
    """Image bytes that cannot be used; the message says why."""

    exit_code = 4
