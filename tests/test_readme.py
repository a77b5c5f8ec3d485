"""What the README and the promises say is what the code does; tests/docs has the rest of the pages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from db.configuration import resolve_configuration
from producer.choices import choose
from producer.cli import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_that_the_readme_names_exists() -> None:
    named = {"run", "submit", "watch", "status", "report", "retry", "cancel", "resume", "fsck", "gc"}

    assert all(command in README for command in named)
    assert named <= set(cli.commands)


@pytest.mark.parametrize("flag", ["--editor", "--scorer", "--set", "--repeats", "--seed", "--limit", "--priority"])
def test_every_flag_of_a_run_is_in_the_readme_and_in_the_help(flag: str) -> None:
    help_text = CliRunner().invoke(cli, ["submit", "--help"]).output

    assert flag in README
    assert flag in help_text


def test_the_example_configuration_resolves_and_differs_from_the_defaults() -> None:
    chosen = choose(file=ROOT / "examples" / "run.yaml", editor=None, scorers=(), settings=(), others={})

    assert [scorer.label for scorer in chosen.scorers] == ["reference", "a-dice-roll"]
    assert chosen.digest() != resolve_configuration({"editor": "pillow", "scorers": ["reference"]}).digest()


def test_the_table_of_promises_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/.:]+)`", (ROOT / "docs" / "promises.md").read_text(encoding="utf-8"))

    assert len(named) > 40
    for place in named:
        file, _, name = place.partition("::")
        assert (ROOT / file).exists(), place
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), place


def test_every_fault_of_the_table_has_its_number_in_the_name_of_its_test() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", (ROOT / "docs" / "promises.md").read_text(encoding="utf-8"), re.M)

    assert [int(number) for number, _ in rows] == list(range(1, 27))
    numbered = {number: tests for number, tests in rows if "::test_" in tests and number != "19"}
    assert all(re.search(rf"::test_(\d\d_)*{int(number):02}_", tests) for number, tests in numbered.items())


def test_architecture_names_every_module() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    map_of_files = text.partition("## Files")[2].partition("## Who may import whom")[0]
    words = set(re.findall(r"\w+", map_of_files))
    modules = [
        path.relative_to(ROOT)
        for package in ("db", "producer", "workers")
        for path in (ROOT / package).rglob("*.py")
        if not path.stem.startswith("__") and "migrations" not in path.parts
    ]

    assert [path for path in modules if not {path.stem, path.parent.name} <= words] == []
    assert [path for path in modules if len(path.parts) == 2 and path.name not in map_of_files] == []


def test_a_virtual_environment_that_could_not_be_made_whole_is_made_again(tmp_path: Path) -> None:
    without_venv = tmp_path / "python"  # as on Debian without the package python3-venv
    without_venv.write_text('#!/bin/sh\n[ "$2" != venv ] || { mkdir -p "$3/bin"; touch "$3/bin/python"; exit 1; }\n')
    without_venv.chmod(0o755)
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")

    ended = subprocess.run(
        ["make", "-C", tmp_path, f"PYTHON={without_venv}", ".venv/bin/python"], capture_output=True, check=False
    )

    assert ended.returncode != 0
    assert not (tmp_path / ".venv" / "bin" / "python").exists()
