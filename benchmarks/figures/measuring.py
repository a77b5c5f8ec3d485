"""Times calls on whatever device computes, names the machine, writes tables; what is measured it leaves to others."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import psutil
import torch

K = TypeVar("K")

Call = Callable[[], object]


def seconds_of(call: Call) -> float:
    """Return the wall time of one call, in seconds, until the device has done all of it."""
    _synchronize()
    started = time.perf_counter()
    call()
    _synchronize()
    return time.perf_counter() - started


def median_seconds(call: Call, *, rounds: int) -> float:
    """Return the median wall time of `rounds` calls, in seconds, after one that does not count."""
    return interleaved_seconds({"": call}, rounds=rounds)[""]


def interleaved_seconds(calls: Mapping[K, Call], *, rounds: int, warm_ups: int = 1) -> dict[K, float]:
    """Return the median wall time of each call, in seconds; every round makes all of them, one after the other.

    A machine that slows down on the way thus slows them all, and their ratios hold.
    """
    for _ in range(warm_ups):
        for call in calls.values():
            call()
    times: dict[K, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds_of(call))
    return {name: statistics.median(measured) for name, measured in times.items()}


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with its first column to the left and the others, figures mostly, to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(value: float) -> str:
    """Return the value with three significant digits, and never an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    digits = max(0, 2 - int(f"{value:e}".partition("e")[2]))
    return f"{value:.{digits}f}"


def measured_on(device: str, libraries: Iterable[str]) -> str:
    """Return the line below a table: the device, the versions of libraries, the day."""
    versions = ", ".join(f"{library} {version(library)}" for library in libraries)
    day = datetime.now(UTC).date()
    return f"Measured on {device}; Python {platform.python_version()}, {versions}; {day}."


def the_device() -> torch.device:
    """Return the first GPU, on a machine without one the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def gpu_description() -> str:
    """Return the first GPU's name and its driver, on a machine without one the CPU."""
    if not torch.cuda.is_available():
        return cpu_description()
    return f"{torch.cuda.get_device_name(0)} ({_driver()})"


def cpu_description() -> str:
    """Return the CPU's model, its cores, and how many threads torch uses of them."""
    threads = torch.get_num_threads()
    return f"{_cpu_model()}, {os.cpu_count()} cores, {threads} torch thread{'s' if threads > 1 else ''}"


def busy_core_seconds() -> float:
    """Return how many seconds all cores together were in use since the machine started, whoever used them."""
    times = psutil.cpu_times()
    return float(times.user + times.system)


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "driver unknown"
    return f"driver {answer.splitlines()[0].strip()}" if answer.strip() else "driver unknown"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
