"""The border of every command line: what goes wrong becomes one line on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from db.errors import BenchmarkInvalid, FarmError, ServiceUnreachable, first_line, one_line

SOME_FAILED = 1
BUG = 70  # sysexits' EX_SOFTWARE; Python's own 1 would read as "some jobs failed"
INTERRUPTED = 130


def run_command(command: click.Command, name: str) -> NoReturn:
    """Run a command of this name and exit: what it returns, or the code of what it raised.

    An error the user can mend is one line; any other is a bug and shows its traceback. SIGTERM tidies up like Ctrl-C.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        code = command(prog_name=name, standalone_mode=False) or 0
        sys.stdout.flush()
    except click.ClickException as error:
        vars(error).update(message=one_line(error.message))  # it may repeat a name that a shell's * has put there
        error.show()
        code = error.exit_code
    except FarmError as error:
        code = _complain(error)
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = SOME_FAILED
    except Exception as error:  # noqa: BLE001 - the border
        known = _mendable(error)
        if known is None:
            traceback.print_exc()
        code = BUG if known is None else _complain(known)
    sys.exit(code)


def say(text: str) -> None:
    """Write a line for the person at the keyboard, to stderr; what strangers have written in it acts on no terminal."""
    Console(stderr=True).print(Text(one_line(text, longest=5000)), highlight=False, soft_wrap=True)


def _complain(error: FarmError) -> int:
    console = Console(stderr=True)
    console.print(
        Text.assemble(("error: ", "bold red"), one_line(str(error), longest=5000)), highlight=False, soft_wrap=True
    )
    if isinstance(error, BenchmarkInvalid):
        for fault in error.faults:
            console.print(Text(f"  {fault}"), highlight=False, soft_wrap=True)
    return error.exit_code


def _mendable(error: Exception) -> FarmError | None:
    """Return the error as one the user can mend, where it is: a database that went away, a folder, a full disk."""
    if "sqlalchemy" in sys.modules:
        from sqlalchemy.exc import OperationalError

        if isinstance(error, OperationalError):
            return ServiceUnreachable(f"the database does not answer: {first_line(error.orig or error)}")
    if isinstance(error, OSError) and (error.filename is not None or error.errno == errno.ENOSPC):
        return FarmError(f"{error.filename or 'the disk'}: {error.strerror}")
    return None
