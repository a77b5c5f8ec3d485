"""A worker's log: one JSON object a line whatever is in it, the same names for the same things, every event listed."""

from __future__ import annotations

import ast
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.farm.conftest import ROOT
from workers.logs import FIRST, as_json

EVENT = re.compile(r"[a-z]+\.[a-z_]+")
METHODS = {"debug", "info", "warning", "error", "exception", "critical", "tell", "_log"}

LOGGING = """
import logging, sys
import structlog
from workers.logs import configure_logging, log_as, log_uncaught
configure_logging("INFO")
log_as("edit-gpu3@host")
log_uncaught()
log = structlog.get_logger("workers.test")
"""


def logged(code: str, **environment: str) -> list[dict[str, Any]]:
    """Return what a process with our log writes to stderr, each line read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", LOGGING + code],
        cwd=ROOT,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "3", **environment},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    return [json.loads(line) for line in done.stderr.decode("utf-8").splitlines()]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two\nlines\r\u2028", "two\nlines\r\u2028"),
        ("\x9b2J \x7f \u202e", "\x9b2J \x7f \u202e"),
        ("half \ud800 of a pair", "half ? of a pair"),
        (b"\xff", "b'\\xff'"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (Path("/x"), "PosixPath('/x')"),
        ({"a": {1, 2}}, {"a": "{1, 2}"}),
        ({("a", 1): 2}, "{('a', 1): 2}"),
        ("\N{SNOWMAN} 雪", "\N{SNOWMAN} 雪"),
    ],
)
def test_whatever_is_logged_is_one_line_of_json_that_acts_on_no_terminal(value: object, shown: object) -> None:
    line = as_json(None, "info", {"event": "x", "value": value})

    assert line.isprintable()
    assert json.loads(line, parse_constant=pytest.fail) == {"event": "x", "value": shown}


def test_what_is_logged_as_text_acts_on_no_terminal_and_a_traceback_keeps_its_lines() -> None:
    said = 'log.info("job.done", sample="a\\x1b[2J\\nfake.event", model="\\u202e雪")\n1 / 0'
    command = [sys.executable, "-c", LOGGING + said]
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "FARM_LOG_FORMAT": "text"}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    first, *rest = done.stderr.splitlines()
    assert "\x1b" not in done.stderr and "\u202e" not in done.stderr
    assert r"a\x1b[2J\nfake.event" in first and r"\u202e雪" in first
    assert "Traceback (most recent call last):" in rest and "ZeroDivisionError: division by zero" in rest


def test_a_circle_is_logged_too() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert json.loads(as_json(None, "info", {"event": "x", "value": circle}))["value"] == "[[...]]"


def test_a_line_is_utf_8_whatever_the_locale_is() -> None:
    (entry,) = logged("log.info('x', key='é雪')", PYTHONIOENCODING="latin-1")
    assert entry["key"] == "é雪"


def test_ids_come_first_and_worker_and_gpu_come_by_themselves() -> None:
    (entry,) = logged("log.info('edit.done', seconds=1, attempt=2, sample='p', job=7, run='r', stage='edit')")
    assert list(entry) == [*FIRST, "seconds"]
    assert (entry["worker"], entry["gpu"]) == ("edit-gpu3@host", "3")


def test_what_a_library_says_at_a_job_says_of_which_job_it_is() -> None:
    entries = logged(
        "library = logging.getLogger('diffusers')\n"
        "with structlog.contextvars.bound_contextvars(run='r', job=7): library.warning('%s', 1)\n"
        "library.warning('later')"
    )
    assert [(one["event"], one.get("job"), one["gpu"]) for one in entries] == [("1", 7, "3"), ("later", None, "3")]


def test_a_warning_of_python_is_a_line_too() -> None:
    (entry,) = logged("import warnings; warnings.warn('soon gone', FutureWarning)")
    assert (entry["level"], entry["gpu"]) == ("warning", "3")
    assert "FutureWarning: soon gone" in entry["event"]


def test_exceptions_are_a_field_also_those_that_nobody_catches() -> None:
    entries = logged(
        "import threading\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: log.exception('x')\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "1 / 0"
    )
    assert [one["event"] for one in entries] == ["x", "thread.error", "process.error"]
    for one in entries:
        assert "ZeroDivisionError: division by zero" in one["exception"]


# -- the list of events ------------------------------------------------------------------------------------------------


def test_the_page_lists_every_event_and_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "logs.md").read_text()
    listed = [name for row in page.splitlines() if row.startswith("| `") for name in EVENT.findall(row.split("|")[1])]

    assert sorted(listed) == sorted(set(listed))
    assert set(listed) == events_in_code()


def events_in_code() -> set[str]:
    """Return the first argument of every call that logs, `{stage}` in it filled in."""
    found = set()
    for file in (ROOT / "workers").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in METHODS:
                found |= {text for text in _texts(node.args[0]) if EVENT.fullmatch(text)}
    return found


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _texts(argument: ast.expr) -> set[str]:
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    if isinstance(argument, ast.JoinedStr):
        end = "".join(str(part.value) for part in argument.values if isinstance(part, ast.Constant))
        return {f"{stage}{end}" for stage in ("edit", "score")}
    return set()
