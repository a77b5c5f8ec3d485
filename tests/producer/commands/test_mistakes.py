"""Every mistake of a user is told in a line, without a traceback or a password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import click
import pytest

from producer.cli import cli
from tests.factories import original_file
from tests.producer.shell import DEAD, FAR, SECRET, Shell

pytestmark = pytest.mark.integration


GOOD = "benchmark.json"


FILES: dict[str, bytes] = {
    "binary.json": b"\x00\x01\xff\xfe",
    "benchmark.parquet": b"PAR1",
    "benchmark.xlsx": b"PK\x03\x04\0",
    "broken.yaml": b"editor: [",
    "file": b"",
    "no-database.db": b"this is no database",
}


@dataclass(frozen=True)
class Mistake:
    """A call that a user can mend: how it ends and what its line names."""

    arguments: list[str]
    codes: set[int]
    named: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([*(f"{name}={value}" for name, value in self.settings.items()), *self.arguments])


def mistake(line: str, code: int | set[int], named: str, **settings: str) -> Mistake:
    return Mistake(line.split(), {code} if isinstance(code, int) else code, named, settings)


MISTAKES = [
    mistake("submit folder.json", 4, "folder.json: is a folder of no known layout; expected metadata.jsonl or"),
    mistake("submit benchmark.parquet", 4, "benchmark.parquet: 1 fault, nothing was submitted"),
    mistake("submit benchmark.xlsx", 4, "is a ZIP file; unpack it first"),
    mistake("submit file", 4, "no reader for this kind of file; expected a folder, .json"),
    mistake("submit binary.json", 4, "is not valid JSON"),
    mistake(f"submit {GOOD} --editor nope", 2, "no editor is called 'nope'; known: diffusers"),
    mistake(f"submit {GOOD} --config broken.yaml", 2, "broken.yaml: is not YAML"),
    mistake(f"submit {GOOD}", 2, "FARM_LEASE_SECONDS", FARM_LEASE_SECONDS="two"),
    mistake(f"submit {GOOD}", {2, 3}, "/file", FARM_HOME="file"),
    mistake(f"submit {GOOD}", {2, 3}, "/file", FARM_HOME="file", FARM_BROKER_URL=""),
    mistake("status", {2, 3}, "/proc/farm", FARM_HOME="/proc/farm"),
    mistake(f"submit {GOOD}", {2, 3}, "/file", FARM_IMAGES="file", FARM_HOME="elsewhere"),
    mistake("status", 2, "FARM_DATABASE_URL is not a database URL", FARM_DATABASE_URL="foo"),
    mistake("status", 3, "FARM_DATABASE_URL: no data", FARM_DATABASE_URL=f"postgresql://u:{SECRET}@{DEAD}/d"),
    mistake("status", 3, "FARM_DATABASE_URL: no data", FARM_DATABASE_URL="sqlite:///no-database.db"),
    mistake(f"submit {GOOD}", 2, "FARM_BROKER_URL is not a Redis URL", FARM_BROKER_URL="foo"),
    mistake(f"submit {GOOD}", 3, f"no broker answers at redis://{DEAD}", FARM_BROKER_URL=f"redis://u:{SECRET}@{DEAD}"),
    mistake(f"submit {GOOD}", 2, "set FARM_DATABASE_URL=postgresql://", FARM_BROKER_URL=f"redis://u:{SECRET}@{FAR}"),
    mistake("broker", 2, "FARM_BROKER_URL names another broker"),
    mistake("report latest", 2, "the ledger has no run yet"),
    mistake("status nope", 2, "the ledger has no run 'nope'"),
    mistake("cancel nope", 2, "the ledger has no run 'nope'"),
]


UNPARSABLE = [
    mistake("nope", 2, "nope"),
    mistake(f"submit {GOOD} --nope", 2, "--nope"),
    mistake(f"run {GOOD} --workers 0", 2, "--workers"),
]


@pytest.fixture
def littered(shell: Shell) -> Iterator[Shell]:
    """A folder with a good benchmark and several bad files, in which nothing is asked for."""
    original_file(shell.folder)
    (shell.folder / "folder.json").mkdir()
    for name, content in FILES.items():
        (shell.folder / name).write_bytes(content)
    yield shell
    assert not (shell.home / "farm.db").exists() or set(shell.rows().values()) == {0}
    assert shell.images() == []
    assert shell.messages() == {}


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_told_in_a_line_without_traceback_or_password(littered: Shell, mistake: Mistake) -> None:
    done = littered(*mistake.arguments, **mistake.settings)

    assert "Traceback" not in done.err
    assert done.code in mistake.codes
    assert done.out == ""
    assert mistake.named in done.err
    assert SECRET not in done.err
    lines = done.err.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) == (2 if "nothing was submitted" in lines[0] else 1)


@pytest.mark.parametrize("mistake", UNPARSABLE, ids=str)
def test_a_call_that_cannot_be_parsed_is_told_with_the_usage(littered: Shell, mistake: Mistake) -> None:
    done = littered(*mistake.arguments, **mistake.settings)

    assert (done.code, done.out) == (2, "")
    assert "Usage: python -m producer" in done.err
    assert mistake.named in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "name",
    ["submit", "run", "validate", "plan", "import", "import-scores", "rescore", "judge-check", "report", "compare"],
)
def test_what_cannot_be_read_is_told_by_who_reads_it_and_not_with_the_usage(name: str) -> None:
    paths = [one.type for one in cli.commands[name].params if isinstance(one.type, click.Path)]

    assert paths
    assert not any(path.readable for path in paths)


def test_help_is_on_stdout(littered: Shell) -> None:
    done = littered("submit", "--help")

    assert (done.code, done.err) == (0, "")
    assert "Usage: python -m producer submit" in done.out
