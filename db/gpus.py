"""The GPUs of this machine, as the driver and CUDA_VISIBLE_DEVICES show them; no torch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from db.errors import first_line

ANSWER_SECONDS = 30
_MEBIBYTE = 1 << 20
_ONE = r"(?:\d+|(?:GPU|MIG)-[^@+]+)"
_IN_A_NAME = re.compile(rf"-gpu({_ONE}(?:\+{_ONE})*)@")


class DriverFault(Exception):
    """There is a driver, and it does not answer; the message is its own."""


@dataclass(frozen=True)
class Gpu:
    """A GPU as the driver numbers it, in the order of the bus.

    `uncorrected_errors` of its memory since the driver was loaded; None where it does not count them.
    """

    index: int
    uuid: str
    name: str
    memory_used_bytes: int
    memory_total_bytes: int
    uncorrected_errors: int | None = None

    @property
    def memory_free_bytes(self) -> int:
        """What nobody has taken."""
        return self.memory_total_bytes - self.memory_used_bytes


@dataclass(frozen=True)
class Holder:
    """A process that computes on a GPU; its number is the host's, also where we are in a container."""

    gpu_uuid: str
    pid: int
    name: str


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver with its GPUs and who computes on them."""

    version: str
    gpus: Sequence[Gpu]
    holders: Sequence[Holder]


def visible_gpus() -> list[str]:
    """Return what CUDA_VISIBLE_DEVICES may name here: its own entries where it is set, else the index of every GPU."""
    pinned = pinned_gpus()
    if pinned is not None:
        return [entry for entry in pinned if entry not in ("", "-1")]
    try:
        return [line for line in _nvidia_smi("--query-gpu=index") if line.isdigit()]
    except (OSError, DriverFault):
        return []


def gpu_of(worker: str) -> str:
    """Return what GPU this process's worker has: as its name says, `edit-gpu3@host`, else CUDA_VISIBLE_DEVICES.

    In a container that is given one GPU it is number 0 there, whichever of the host's it is: only the name knows.
    """
    named = _IN_A_NAME.search(worker)
    return named[1].replace("+", ",") if named else os.environ.get("CUDA_VISIBLE_DEVICES", "")


def pinned_gpus() -> list[str] | None:
    """Return the entries of CUDA_VISIBLE_DEVICES, None where it is not set."""
    pinned = os.environ.get("CUDA_VISIBLE_DEVICES")
    return None if pinned is None else [entry.strip() for entry in pinned.split(",")]


def look_at_gpus(seconds: float = ANSWER_SECONDS) -> Driver | None:
    """Return what the driver says, None where there is none. Raises DriverFault.

    The driver's own tool is asked first: a process can be given up when a GPU hangs, a call into the driver cannot.
    """
    if shutil.which("nvidia-smi"):
        return _by_nvidia_smi(seconds)
    try:
        import pynvml
    except ModuleNotFoundError:
        return None
    with _nvml(pynvml) as nvml:
        return None if nvml is None else _by_nvml(nvml)


def _by_nvidia_smi(seconds: float) -> Driver:
    fields = "index,uuid,name,memory.used,memory.total,ecc.errors.uncorrected.volatile.total,driver_version"
    rows = [_row(line) for line in _nvidia_smi(f"--query-gpu={fields}", seconds)]
    apps = [line.split(", ") for line in _nvidia_smi("--query-compute-apps=gpu_uuid,pid,process_name", seconds)]
    return Driver(
        version=rows[0][1] if rows else "",
        gpus=[gpu for gpu, _ in rows],
        holders=[Holder(uuid, _number("".join(rest[:1])), ", ".join(rest[1:])) for uuid, *rest in apps],
    )


def _row(line: str) -> tuple[Gpu, str]:
    """Return the GPU and the driver's version of a row; what is none is the driver's complaint of a GPU it has lost."""
    try:
        index, uuid, name, used, total, errors, version = line.split(", ")
        gpu = Gpu(
            index=int(index),
            uuid=uuid,
            name=name,
            memory_used_bytes=_number(used) * _MEBIBYTE,
            memory_total_bytes=_number(total) * _MEBIBYTE,
            uncorrected_errors=_number(errors) if errors.isdecimal() else None,
        )
    except ValueError as error:
        raise DriverFault(f"nvidia-smi: {line}") from error
    return gpu, version


def _nvidia_smi(query: str, seconds: float = ANSWER_SECONDS) -> list[str]:
    """Return the lines of a query to the driver's own tool. Raises OSError where there is none, DriverFault."""
    command = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise DriverFault(f"nvidia-smi has not answered for {seconds:.0f} seconds") from error
    if done.returncode != 0:
        raise DriverFault(first_line(Exception(done.stdout.strip() or done.stderr)))
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _number(text: str) -> int:
    """Return the number; 0 where the driver does not tell it, as of memory that a GPU shares with its host."""
    return int(text) if text.isdecimal() else 0


@contextmanager
def _nvml(pynvml: Any) -> Iterator[Any]:
    """Open the driver's library; None where it is not on this machine."""
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        yield None
        return
    except pynvml.NVMLError as error:
        raise DriverFault(str(error)) from error
    try:
        yield pynvml
    except pynvml.NVMLError as error:
        raise DriverFault(str(error)) from error
    finally:
        pynvml.nvmlShutdown()


def _by_nvml(nvml: Any) -> Driver:
    handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    return Driver(
        version=nvml.nvmlSystemGetDriverVersion(),
        gpus=[_gpu_of(nvml, index, handle) for index, handle in enumerate(handles)],
        holders=[
            Holder(nvml.nvmlDeviceGetUUID(handle), process.pid, "")
            for handle in handles
            for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        ],
    )


def _gpu_of(nvml: Any, index: int, handle: Any) -> Gpu:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        errors = nvml.nvmlDeviceGetTotalEccErrors(
            handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
        )
    except nvml.NVMLError_NotSupported:
        errors = None
    return Gpu(
        index=index,
        uuid=nvml.nvmlDeviceGetUUID(handle),
        name=nvml.nvmlDeviceGetName(handle),
        memory_used_bytes=memory.used,
        memory_total_bytes=memory.total,
        uncorrected_errors=errors,
    )
