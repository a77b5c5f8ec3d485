"""The devices a model runs on, and how a lack of memory is told from other errors."""

from __future__ import annotations

import gc

import torch

from workers.models.errors import ModelFault

MOST_BYTES_ON_A_CPU = 4 * 1024**3
"""Weights beyond this are taken for a forgotten GPU: on a CPU one edit would take hours."""


def the_device() -> torch.device:
    """Return the first visible GPU, else the CPU."""
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def placement(weight_bytes: int) -> str:
    """Return where weights of this size go: `cpu`, `cuda`, or `balanced` over all GPUs that this worker sees.

    Raises ModelFault for weights too large for a CPU when no GPU is visible.
    """
    if not torch.cuda.is_available():
        if weight_bytes > MOST_BYTES_ON_A_CPU:
            raise ModelFault(
                f"{weight_bytes / 1e9:.1f} GB of weights need a GPU, and this worker sees none: "
                "set CUDA_VISIBLE_DEVICES, or start it by `python -m workers --gpus LIST`"
            )
        return "cpu"
    return "balanced" if torch.cuda.device_count() > 1 else "cuda"


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether the device or the host had not enough memory. On a CPU torch says so in a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


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
