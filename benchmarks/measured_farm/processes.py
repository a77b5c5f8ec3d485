"""Processes as the system sees them: families, what they spent, how much memory they took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.figures.outcome import Fell

END_SECONDS = 20.0
LOOK_SECONDS = 0.02
MB = 1e6

Process = subprocess.Popen[bytes]


def wait_until(condition: Callable[[], bool], seconds: float, what: str, *, every: float = 0.05) -> None:
    """Return once the condition holds; look so often. Raises Fell when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Fell(f"{what} did not come in {seconds:.0f} s")
        time.sleep(every)


def family_of(pid: int) -> list[psutil.Process]:
    """Return the process and all that come from it; nothing when it is gone."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return what these processes and all that came from them have computed so far, the dead among them included."""
    total = 0.0
    for process in (process for pid in pids for process in family_of(pid)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its parent's times of dead children have it
        total += times.user + times.system + times.children_user + times.children_system
    return total


def resident_bytes(pid: int) -> int:
    """Return the memory that the process has in use, pages that it shares with others included."""
    return int(psutil.Process(pid).memory_info().rss)


def end(processes: Sequence[Process]) -> None:
    """End processes and what came from them gently, and after a while not gently."""
    families = [family_of(process.pid) for process in processes]
    for process in processes:
        process.terminate()
    _, left = psutil.wait_procs([process for family in families for process in family], timeout=END_SECONDS)
    for survivor in left:
        survivor.kill()
    for process in processes:
        process.wait()


@dataclass(frozen=True)
class Spent:
    """What a command took: wall seconds, seconds of computing, and the most memory that it ever had in use."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def run_watched(command: Sequence[str], *, environment: Mapping[str, str], folder: Path, timeout: float) -> Spent:
    """Run a command to its end. Raises Fell when it fails or takes too long."""
    started, before = time.perf_counter(), _cpu_of_ended_children()
    with subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        peak = _peak_until_end(process, started + timeout)
        seconds = time.perf_counter() - started
        output, complaint = process.communicate()
    if process.returncode:
        last = complaint.strip().splitlines()[-1:] or ["it left no word"]
        raise Fell(f"{' '.join(command[2:4])} ended with exit code {process.returncode}: {last[0]}")
    return Spent(seconds, _cpu_of_ended_children() - before, peak, output.strip())


def _peak_until_end(process: subprocess.Popen[str], deadline: float) -> int:
    """Return the kernel's own record, VmHWM, as it was last seen.

    What `wait` reports would begin with the memory of the process that started it.
    """
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_bytes(process.pid))
        if time.perf_counter() > deadline:
            process.kill()
            raise Fell(f"process {process.pid} took too long")
        time.sleep(LOOK_SECONDS)
    return peak


def _cpu_of_ended_children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def peak_bytes(pid: int) -> int:
    """Return the most memory that the process ever had in use; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
