"""`export` and `import` as a user meets them: real processes, their output, their exit codes, their memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.images import FolderStore, digest_of
from db.tables import Stage
from tests.db.steps import job_ids
from tests.producer.moving.farms import Farm, finished, go_on, half_done
from tests.producer.shell import Shell, command

pytestmark = pytest.mark.integration


@pytest.fixture
def other(tmp_path: Path, broker_url: str) -> Shell:
    (tmp_path / "other").mkdir()
    return Shell(tmp_path / "other", broker_url)


def of(shell: Shell, make: object) -> str:
    """Make a run in the farm of these commands."""
    with shell.ledger() as ledger:
        return make(Farm(ledger, FolderStore(shell.home / "images")))  # type: ignore[operator, no-any-return]


def test_a_run_moves_by_a_file_and_its_report_is_the_same(shell: Shell, other: Shell) -> None:
    run_id = of(shell, finished)

    exported, imported = shell("export", "latest", "run.tar"), other("import", shell.folder / "run.tar")
    again = other("import", shell.folder / "run.tar", "--json")

    size = (shell.folder / "run.tar").stat().st_size
    said = f"run {run_id}: 3 samples, 6 edits, 8 scores, 5 images"
    assert (exported.code, exported.out, exported.err) == (0, "", f"{said}, {size:,} bytes\n")
    assert (imported.code, imported.out, imported.err) == (0, f"{run_id}\n", f"{said}\n")
    assert again.err == f"{said}; it was here already\n"
    assert json.loads(again.out) == {
        "run": run_id, "new": False, "samples": 3, "edits": 6, "scores": 8, "images": 5
    }  # fmt: skip
    assert other("report", "--format", "json").out == shell("report", "--format", "json").out
    assert [path.name for path in shell.folder.iterdir() if "run.tar" in path.name] == ["run.tar"]
    assert (shell.folder / "run.tar").stat().st_mode & 0o077 == 0


def test_a_run_moves_by_a_pipe(shell: Shell, other: Shell) -> None:
    run_id = of(shell, finished)

    with subprocess.Popen(command("export", run_id, "-"), env=shell.environment, stdout=subprocess.PIPE) as export:
        done = subprocess.run(
            command("import", "-"), env=other.environment, stdin=export.stdout, capture_output=True, text=True
        )

    assert (export.returncode, done.returncode, done.stdout) == (0, 0, f"{run_id}\n")
    assert shell("export", run_id, "-", "--json").code == 2


def test_a_pipe_with_a_name_is_written_and_read_as_a_file_is(shell: Shell, other: Shell) -> None:
    run_id = of(shell, finished)
    os.mkfifo(pipe := shell.folder / "pipe")

    with subprocess.Popen(command("export", run_id, pipe), env=shell.environment) as export:
        imported = other("import", pipe)

    assert (export.returncode, imported.code, imported.out) == (0, 0, f"{run_id}\n")
    assert pipe.is_fifo()


def test_a_run_that_is_not_finished_goes_on_where_it_is_resumed(shell: Shell, other: Shell) -> None:
    run_id = of(shell, half_done)

    exported, imported = shell("export", run_id, "run.tar"), other("import", shell.folder / "run.tar")

    assert "4 edits and 3 scores are cancelled in the archive" in exported.err
    assert f"`python -m producer cancel {run_id}` first" in exported.err
    assert f"`python -m producer resume {run_id}` queues 7 jobs, for simulated, 严, 宽" in imported.err
    assert other.messages() == {}
    assert "PARTIAL" in other("report", run_id).out
    assert other("resume", run_id).code == 0
    assert sum(map(len, other.messages().values())) == 7
    with other.ledger() as ledger:
        assert go_on(Farm(ledger, FolderStore(other.home)), run_id, job_ids(ledger, Stage.EDIT, run_id)) == 4


def test_what_cannot_be_moved_is_told_in_a_line(shell: Shell) -> None:
    run_id = of(shell, finished)
    (shell.home / "images" / digest_of(b"second")[:2] / digest_of(b"second")).unlink()
    (shell.folder / "none.tar").write_bytes(os.urandom(5000))

    lost = shell("export", run_id, "run.tar")

    assert (lost.code, f"image {digest_of(b'second')} is not in the store" in lost.complaint) == (2, True)
    assert [path.name for path in shell.folder.iterdir() if "run.tar" in path.name] == []
    assert shell("export", "nobody", "run.tar").complaint == "error: the ledger has no run 'nobody'"
    assert "No such file" in shell("import", "nowhere.tar").complaint
    refused = shell("import", "none.tar")
    assert (refused.code, "no archive of `python -m producer export`" in refused.complaint) == (4, True)


def test_links_in_a_circle_give_way_to_an_archive(shell: Shell) -> None:
    of(shell, finished)
    (shell.folder / "loop.tar").symlink_to("loop.tar")

    done = shell("export", "latest", "loop.tar")

    assert done.code == 0
    assert (shell.folder / "loop.tar").is_file()


def test_a_closed_stdin_is_told_in_a_line(shell: Shell) -> None:
    closing = ["sh", "-c", 'exec "$@" <&-', "sh", *command("import", "-")]

    done = subprocess.run(closing, env=shell.environment, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (2, "error: import -: stdin is closed\n")


# -- memory ------------------------------------------------------------------------------------------------------------

MOVE_AND_MEASURE = """
import hashlib, os, sys
from pathlib import Path
from db.engine import open_engine
from db.images import FolderStore
from db.ledger import Ledger
from producer.moving.incoming import import_run
from producer.moving.outgoing import export
from tests.db.given_runs import enter_images, samples_of

def peak():  # not `ru_maxrss`, which begins with that of the process that started this one
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

def move(name, count, size):
    folder = Path(sys.argv[1]) / name
    here, there = (open_engine(f"sqlite:///{folder / kind}.db") for kind in ("here", "there"))
    images = FolderStore(folder / "here")
    source = images.put(b"source")
    digests = [images.put(os.urandom(size)) for _ in range(count)]
    ledger = Ledger(here)
    run_id, _ = enter_images(ledger, digests, benchmark=samples_of(ledger, ["c"] * count, source))
    before = peak()
    with (folder / "run.tar").open("w+b") as file:
        export(here, images, run_id, file)
        imported = import_run(there, FolderStore(folder / "there"), file)
    assert imported.counts.images == count + 1
    return peak() - before

move("small", 5, 1000)
print(move("large", 150, 1_000_000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_large_run_is_moved_in_little_memory(tmp_path: Path) -> None:
    measured = subprocess.run(
        [sys.executable, "-c", MOVE_AND_MEASURE, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert (tmp_path / "large" / "run.tar").stat().st_size > 150e6
    assert int(measured.stdout) < 40_000
