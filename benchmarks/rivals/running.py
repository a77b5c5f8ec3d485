"""Runs a rival as a process of its own and hears what it answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures.outcome import Fell, Outcome
from benchmarks.rivals.plan import Plan

START_SECONDS = 120.0
PATIENCE = 3.0
"""A rival that takes so many times the bound is ended."""

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Rival:
    """A program: the module of this package and its arguments; `needs` is a library that may be missing."""

    module: str
    arguments: tuple[str, ...] = ()
    needs: str | None = None


def run_rival(rival: Rival, plan: Plan, bound: float, python: str = sys.executable) -> Outcome:
    """Return what came of it. Raises Fell when its library is missing, when it breaks or takes too long."""
    if (
        rival.needs is not None
        and subprocess.run([python, "-c", f"import {rival.needs}"], capture_output=True).returncode
    ):
        raise Fell(f"{rival.needs} is not installed")
    process = subprocess.Popen(
        [python, "-m", f"benchmarks.rivals.{rival.module}", *rival.arguments],
        cwd=_ROOT,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(plan.to_json(), timeout=START_SECONDS + PATIENCE * bound)
    except subprocess.TimeoutExpired as error:
        raise Fell(f"not done in {PATIENCE:.0f} times the bound") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode:
        raise Fell(f"broke: {(errors.strip().splitlines() or ['no word'])[-1]}")
    said = json.loads(output.strip().splitlines()[-1])
    return Outcome(said["seconds"], library=said["library"])


def _environment() -> Mapping[str, str]:
    """Return ours without the farm's settings: a rival is not to read them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
