"""What children write passes through their parent; of each the parent keeps the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from workers import last_words
from workers.last_words import LONGEST, ChildOutput

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere children write where their parent does")

CHILD = "from workers.last_words import write_to_parent; write_to_parent(); import os, sys; "


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> ChildOutput:
    monkeypatch.setenv("EDITFARM_OUTPUT", "set anew by the next line, and forgotten after the test")
    output = ChildOutput()
    output.start()
    return output


def child(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", CHILD + code])
    assert process.wait(30) == 0
    return process


def test_both_streams_are_passed_on_and_their_end_is_kept(
    output: ChildOutput, capfd: pytest.CaptureFixture[str]
) -> None:
    dead = child("print('out', flush=True); os.write(2, b'from C\\n')")

    assert output.last_words(dead.pid) == "out / from C"
    assert "out\nfrom C\n" in capfd.readouterr().err


def test_the_end_of_much_output_is_the_last_lines_and_no_more(output: ChildOutput) -> None:
    dead = child("[print('x' * 999) for _ in range(2000)]; print('the end')")

    words = output.last_words(dead.pid)

    assert words.endswith("the end")
    assert len(words) == LONGEST


def test_control_characters_are_left_out(output: ChildOutput) -> None:
    assert output.last_words(child("os.write(1, b'a\\x1b[2Jb\\0\\xff')").pid) == "a[2Jb\N{REPLACEMENT CHARACTER}"


def test_a_child_that_was_forgotten_or_never_was_has_no_last_words(output: ChildOutput) -> None:
    dead = child("print('out')")
    assert output.last_words(dead.pid) == "out"

    output.forget(dead.pid)

    assert output.last_words(dead.pid) == ""
    assert output.last_words(1) == ""


def test_of_children_that_nobody_buries_only_the_last_are_kept(
    output: ChildOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_words, "KEPT", 2)
    dead = []
    for number in range(4):
        dead.append(child(f"print({number})"))
        assert output.last_words(dead[-1].pid) == str(number)

    child("pass")

    assert [output.last_words(child.pid) for child in dead] == ["", "", "2", "3"]


def test_what_a_grandchild_keeps_open_is_not_waited_for(output: ChildOutput) -> None:
    dead = child("import subprocess; print('out', flush=True); subprocess.Popen(['sleep', '5'])")

    assert output.last_words(dead.pid) == "out"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be someone else")
def test_another_user_cannot_speak_for_a_child(output: ChildOutput, capfd: pytest.CaptureFixture[str]) -> None:
    stranger = subprocess.run([sys.executable, "-c", STRANGER], capture_output=True, text=True, check=False)

    assert stranger.stdout == "b''\n", stranger.stderr  # shown the door
    assert output.last_words(child("print('out')").pid) == "out"
    assert "out" in capfd.readouterr().err


STRANGER = """
import os, socket
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as parent:
    parent.connect("\\0" + os.environ["EDITFARM_OUTPUT"])
    parent.settimeout(5)
    print(parent.recv(1))
"""


def test_no_line_is_passed_on_before_its_end_but_the_last(
    output: ChildOutput, capfd: pytest.CaptureFixture[str]
) -> None:
    first = waiting_child("os.write(2, b'{one '); sys.stdin.read(); os.write(2, b'}\\n{')")
    second = child("os.write(2, b'{two}\\n')")
    output.last_words(second.pid)
    first.communicate(timeout=30)

    assert output.last_words(first.pid)
    assert capfd.readouterr().err == "{two}\n{one }\n{"


def test_a_line_without_an_end_is_passed_on_when_it_is_very_long(
    output: ChildOutput, capfd: pytest.CaptureFixture[str]
) -> None:
    endless = waiting_child("os.write(2, b'x' * 150_000); sys.stdin.read()")
    deadline, written = time.monotonic() + 20, 0
    while written < 80_000:
        assert time.monotonic() < deadline
        written += len(capfd.readouterr().err)
        time.sleep(0.05)
    endless.communicate(timeout=30)


def waiting_child(code: str) -> subprocess.Popen[bytes]:
    """Start a child that reads its stdin to the end at some point; return when it has written what comes before."""
    told, tell = os.pipe()
    code = CHILD + code.replace("; sys.stdin", f"; os.write({tell}, b'x'); sys.stdin", 1)
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=(tell,))
    os.close(tell)
    assert os.read(told, 1)
    os.close(told)
    return process
