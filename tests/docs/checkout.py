"""A user's checkout: the files of the repository, an installed `.venv`, and a shell in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT

PAGE_SECONDS = 240
TOO_LONG = -1
_OURS = (".git", ".venv", ".env", "farm", "build", "examples")
_SHELL = """trap 'echo "line $LINENO: $BASH_COMMAND" >&2' ERR; source "$0" """


@dataclass(frozen=True)
class Ended:
    """How a script ended, with all that it wrote; `code` is TOO_LONG where it had to be ended."""

    code: int
    output: str


def make_checkout(folder: Path) -> Path:
    """Make a checkout whose sources are ours, by links, and whose examples are copies; return it."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in _OURS and not entry.name.endswith((".egg-info", "_cache")):
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.startswith("."):
            (folder / ".venv" / entry.name).symlink_to(entry)
    (folder / ".venv" / ".installed-run").touch()
    (folder / ".venv" / ".installed-dev").touch()
    return folder


def run_script(script: str, checkout: Path) -> Ended:
    """Run lines of shell there, as a terminal would: each must succeed. What it left running is ended."""
    file = checkout / "script.sh"
    file.write_text(script, encoding="utf-8")
    output = checkout / "output.txt"
    with output.open("wb") as writable:
        process = subprocess.Popen(
            ["bash", "-Eeuo", "pipefail", "-c", _SHELL, str(file)],
            cwd=checkout,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=writable,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(PAGE_SECONDS)
        except subprocess.TimeoutExpired:
            code = TOO_LONG
        finally:
            _end(process.pid)
            process.wait()
    return Ended(code, output.read_text(encoding="utf-8", errors="replace"))


def _environment() -> dict[str, str]:
    binaries = Path(sys.executable).parent
    given = {name: value for name, value in os.environ.items() if not name.startswith(("FARM_", "COLUMNS"))}
    return {
        **given,
        "PATH": f"{binaries}:{given['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "PIP_DRY_RUN": "1",  # a page that forgot to say that it installs must not do so here
        "TERM": "dumb",
    }


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
