"""The devices a model runs on, and how a lack of memory is told from other errors."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import torch

from workers.models.errors import DeviceBroken, ModelFault
from workers.models.loading.weights import largest_file_bytes, weight_bytes

MOST_BYTES_ON_A_CPU = 4 * 1024**3
"""Weights beyond this are taken for a forgotten GPU: on a CPU one edit would take hours."""

_SHORTAGES = (
    "DefaultCPUAllocator",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "ALLOCATION_FAILED",
)


def placement(size_bytes: int) -> str:
    """Return where weights of this size go: `cpu`, `cuda`, or `balanced` over all GPUs that this worker sees.

    Raises ModelFault for weights too large for a CPU when no GPU is visible, DeviceBroken when one should be.
    """
    if not torch.cuda.is_available():
        if torch.version.cuda is not None and (pinned := os.environ.get("CUDA_VISIBLE_DEVICES")):
            raise DeviceBroken(f"CUDA_VISIBLE_DEVICES={pinned}, and torch sees no GPU there")
        if size_bytes > MOST_BYTES_ON_A_CPU:
            raise ModelFault(
                f"{size_bytes / 1e9:.1f} GB of weights need a GPU, and this worker sees none: "
                "set CUDA_VISIBLE_DEVICES, or start it by `python -m workers --gpus LIST`"
            )
        return "cpu"
    return "balanced" if torch.cuda.device_count() > 1 else "cuda"


def host_bytes_to_load(folder: Path | None) -> int:
    """Return what loading takes of the host: all weights, on their way to a GPU the largest file; 0 where unknown."""
    if folder is None:
        return 0
    return largest_file_bytes(folder) if torch.cuda.is_available() else weight_bytes(folder)


def refuse_offloading(device_map: object) -> None:
    """Raise ModelFault where a model was spread over more than its GPUs: every step would wait for the host."""
    places = {str(place) for place in device_map.values()} if isinstance(device_map, dict) else set()
    if places & {"cpu", "disk"}:
        raise ModelFault("the model does not fit the GPUs of this worker; start it with more --gpus-per-worker")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether device or host had not enough memory; on a CPU, and in CUDA's libraries, only words say so."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SHORTAGES)


def empty_cache() -> None:
    """Return to the device what torch keeps for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def give_back_memory() -> None:
    """Return to device and host all that nothing refers to any more, pinned memory too where this torch can."""
    gc.collect()  # networks hold on to themselves by their hooks
    empty_cache()
    if torch.cuda.is_available() and hasattr(torch.accelerator, "empty_host_cache"):
        torch.accelerator.empty_host_cache()
