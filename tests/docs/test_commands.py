"""Every command in the documentation works: it is run, or, where a page says why not, it exists as it is written."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from producer.broker import embedded_broker
from tests.docs.checkout import run_script
from tests.docs.pages import PAGES, ROOT, blocks_of, languages_of, script_of
from tests.docs.words import faults_of, missing_files, unknown_settings

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
RUN = [page for page in PAGES if script_of(page)]
_ON_A_FARM = "quickstart.md#a-farm-that-stays-up"
"""A page that links to this has commands for a farm that runs; on any other nothing runs at first."""

_BESIDE_PROSE = re.compile(r"(?<!`)`((?:python -m (?:producer|workers)|celery -A workers|make) [^`\n]+)`(?!`)")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.integration
@pytest.mark.parametrize("page", RUN, ids=named)
def test_the_commands_of_a_page_work_one_after_another(page: Path, checkout: Path) -> None:
    with embedded_broker() if _ON_A_FARM in page.read_text(encoding="utf-8") else nullcontext():
        ended = run_script(script_of(page), checkout)

    assert ended.code == 0, f"{named(page)}: exit code {ended.code}\n{ended.output[-5000:]}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_is_not_run_is_written_as_the_code_has_it(page: Path) -> None:
    faults = [
        f"{block.place}: {fault}"
        for block in blocks_of(page)
        for fault in (*faults_of(block.text), *(f"no file {file}" for file in missing_files(block.text)))
    ]
    text = page.read_text(encoding="utf-8")
    faults += [fault for one in _BESIDE_PROSE.findall(text) for fault in faults_of(one, whole=False)]
    faults += [f"{name} is no setting" for name in unknown_settings(text)]

    assert not faults, "\n".join([named(page), *faults])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_stand_in_blocks_of_sh_without_prompts(page: Path) -> None:
    assert not languages_of(page) & {"bash", "shell", "console", "zsh", "shell-session"}
    assert [block.place for block in blocks_of(page) if any(re.match(r"\s*[$%#] \w", one) for one in block.lines)] == []


def test_there_are_commands_of_both_kinds() -> None:
    assert {block.not_run is None for block in BLOCKS} == {True, False}


def test_a_command_that_fails_is_named_by_its_line(tmp_path: Path) -> None:
    ended = run_script("\n\necho good\nls /no/such \\\n  --all\necho never\n", tmp_path)

    assert ended.code != 0
    assert "line 4: ls /no/such --all" in ended.output
    assert "never" not in ended.output


@pytest.mark.parametrize(
    "wrong",
    [
        "python -m producer reprot RUN",
        "python -m producer report RUN --formt html",
        "RUN=$(python -m producer submit benchmark.json --seeds 3)",
        "python -m producer retry",
        "docker compose run producer python -m producer fsck --repair",
        "celery -A workers wroker -Q edit",
        "celery -A workers worker --queue edit",
        "make tests",
        "python -m workers --gpu 0",
        "echo 'open",
    ],
)
def test_a_command_that_is_not_there_is_a_fault(wrong: str) -> None:
    assert list(faults_of(wrong))


def test_a_file_and_a_setting_that_are_not_there_are_faults() -> None:
    assert missing_files("python examples/none.py examples/run.yaml") == ["examples/none.py"]
    assert unknown_settings("FARM_HOME=x FARM_HOUSE=y") == ["FARM_HOUSE"]
