"""What strangers have written acts on no terminal, whatever form it is shown in; a file gets it as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from producer.commands.output import write_document
from producer.report.document import Document
from tests.farm.conftest import ROOT

ACTS = "a\x1b[2J\x07\u202e"
WRITTEN_OUT = r"a\u001b[2J\u0007\u202e"


class Named(BaseModel):
    name: str = ACTS


DOCUMENT = Document("", (), lambda wide: (), "", data=Named(), csv=lambda: f"name,note\r\n{ACTS},雪\r\n")


def shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, format_name: str) -> str:
    """Write the document while stdout is a terminal; return what a person in front of it would be sent."""
    person, program = os.openpty()
    with os.fdopen(person, "rb", buffering=0) as screen, os.fdopen(program, "w", encoding="utf-8") as stdout:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stdout)
            write_document(DOCUMENT, format_name)
        stdout.flush()
        return screen.read(65536).decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("format_name", "shown"),
    [("csv", f"name,note\n{WRITTEN_OUT},雪\n"), ("json", f'{{\n  "name": "{WRITTEN_OUT}"\n}}\n')],
    ids=["csv", "json"],
)
def test_a_document_acts_on_no_terminal(monkeypatch: pytest.MonkeyPatch, format_name: str, shown: str) -> None:
    assert shown_on_a_terminal(monkeypatch, format_name) == shown


def test_a_file_gets_what_is_there(tmp_path: Path) -> None:
    write_document(DOCUMENT, "csv", tmp_path / "out.csv")

    assert (tmp_path / "out.csv").read_bytes() == f"name,note\r\n{ACTS},雪\r\n".encode()


def test_a_wrong_call_is_repeated_harmlessly() -> None:
    command = [sys.executable, "-m", "producer", "gc", ACTS]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert r"a\x1b[2J\x07\u202e" in done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stderr)
