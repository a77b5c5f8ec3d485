"""The machine that measures: its names, and how busy it is."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import torch


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
