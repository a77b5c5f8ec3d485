"""The border of a command line: every end of a command has its exit code, and a traceback only where it is our bug."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy.exc import OperationalError

import db
from db.command import run_command, say
from db.errors import BenchmarkInvalid, FarmError, ServiceUnreachable, WrongCall

PASSED_AWAY = OperationalError("SELECT 1", {}, Exception("server closed the connection\nprobably a crash"))


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def ended(end: BaseException | int | None, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command that ends so; return its exit code."""

    @click.command()
    def command() -> int | None:
        if isinstance(end, BaseException):
            raise end
        return end

    monkeypatch.setattr(sys, "argv", ["farm"])
    with pytest.raises(SystemExit) as exit_:
        run_command(command, "farm")
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (None, 0, ""),
        (1, 1, ""),
        (WrongCall("no run 'x'"), 2, "error: no run 'x'\n"),
        (ServiceUnreachable("no broker"), 3, "error: no broker\n"),
        (BenchmarkInvalid("b.json: 1 fault", ("pair 3: no image",)), 4, "error: b.json: 1 fault\n  pair 3: no image\n"),
        (PASSED_AWAY, 3, "error: the database does not answer: server closed the connection\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/farm"), 2, "error: /farm: Permission denied\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "error: the disk: No space left on device\n"),
        (FarmError("[red]x[/] :smile:"), 2, "error: [red]x[/] :smile:\n"),
        (FarmError("a\nb\x1b[2J\ud800"), 2, "error: a\\nb\\x1b[2J\\ud800\n"),
        (BenchmarkInvalid("b\r.json", ("pair\t3",)), 4, "error: b\\r.json\n  pair\\t3\n"),
        (KeyboardInterrupt(), 130, "\n"),  # the line of the ^C ends
    ],
    ids=repr,
)
def test_every_end_has_its_exit_code_and_what_can_be_mended_one_line(
    end: BaseException | int | None,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(end, monkeypatch) == code
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("bug", [ZeroDivisionError("division by zero"), OSError("no file in sight")], ids=repr)
def test_a_bug_shows_its_traceback_and_is_not_taken_for_failed_jobs(
    bug: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(bug, monkeypatch) == 70
    assert capsys.readouterr().err.startswith("Traceback")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    code = (
        "import click; from db.command import run_command, say\n"
        "@click.command()\n"
        "def command():\n"
        "    for _ in range(100_000): click.echo('a line')\n"
        "run_command(command, 'farm')"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(db.__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None and command.stderr is not None
    with command.stdout as output, command.stderr as errors:
        output.readline()
        output.close()
        assert errors.read() == b""
    assert command.wait(30) == 1


def test_what_is_said_is_one_line_that_acts_on_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("judge at http://\x1b]0;mine\x07\n[red]x[/]")

    assert capsys.readouterr().err == "judge at http://\\x1b]0;mine\\x07\\n[red]x[/]\n"
