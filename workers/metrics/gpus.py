"""What NVML says of this worker's own GPUs. It opens no CUDA context, so it takes none of their memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any

from workers.metrics.catalogue import GPU_TOTAL, GPU_USED, GPU_UTILIZATION
from workers.metrics.sampling import Reading


class UnknownOrder(Exception):
    """CUDA's indices cannot be told from here."""


def own_gpus(environment: Mapping[str, str] = os.environ) -> list[Reading]:
    """Return memory and utilisation of each GPU that CUDA_VISIBLE_DEVICES names; of all where it is not set.

    Nothing where there is no GPU, no driver or no `nvidia-ml-py`. Raises NVML's errors of a GPU that fails, and
    UnknownOrder.
    """
    pinned = environment.get("CUDA_VISIBLE_DEVICES")
    if pinned is not None and not pinned.strip():
        return []
    try:
        import pynvml
    except ImportError:
        return []
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return []
    try:
        by_bus = environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
        return [reading for handle in _chosen(pynvml, pinned, by_bus) for reading in _of(pynvml, handle)]
    finally:
        pynvml.nvmlShutdown()


def _chosen(nvml: ModuleType, pinned: str | None, by_bus: bool) -> list[Any]:
    """Return the handles as CUDA would choose them: it ignores an entry that names no GPU, and all behind it."""
    every = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    if pinned is None:
        return every
    chosen = []
    for entry in map(str.strip, pinned.split(",")):
        if entry.isdecimal() and not by_bus and len({nvml.nvmlDeviceGetName(handle) for handle in every}) > 1:
            raise UnknownOrder(f"which GPU is {entry} here? set CUDA_DEVICE_ORDER=PCI_BUS_ID")
        found = _named(nvml, entry, every)
        if found is None:
            break
        chosen.append(found)
    return chosen


def _named(nvml: ModuleType, entry: str, every: list[Any]) -> Any | None:
    """Return the GPU of this index, which NVML counts by PCI bus, or of this UUID, which may be cut short."""
    if entry.isdecimal():
        return every[int(entry)] if int(entry) < len(every) else None
    if entry.startswith("MIG-"):
        with suppress(nvml.NVMLError_NotFound, nvml.NVMLError_InvalidArgument):
            return nvml.nvmlDeviceGetHandleByUUID(entry)
        return None
    alike = [handle for handle in every if entry and nvml.nvmlDeviceGetUUID(handle).startswith(entry)]
    return alike[0] if len(alike) == 1 else None


def _of(nvml: ModuleType, handle: Any) -> Iterator[Reading]:
    labels = {"uuid": str(nvml.nvmlDeviceGetUUID(handle)), "index": str(nvml.nvmlDeviceGetIndex(handle))}
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    yield Reading(GPU_USED, float(memory.used), labels)
    yield Reading(GPU_TOTAL, float(memory.total), labels)
    with suppress(nvml.NVMLError_NotSupported):
        yield Reading(GPU_UTILIZATION, nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100, labels)
