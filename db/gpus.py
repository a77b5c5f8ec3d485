"""The GPUs of this machine, as the driver and CUDA_VISIBLE_DEVICES show them; no torch."""

from __future__ import annotations

import os
import re
import subprocess

_IN_A_NAME = re.compile(r"-gpu([^@]+)@")


def visible_gpus() -> list[str]:
    """Return what CUDA_VISIBLE_DEVICES may name here: its own entries where it is set, else the index of every GPU."""
    pinned = os.environ.get("CUDA_VISIBLE_DEVICES")
    if pinned is not None:
        return [entry.strip() for entry in pinned.split(",") if entry.strip() not in ("", "-1")]
    return [line.strip() for line in _nvidia_smi("--query-gpu=index") if line.strip().isdigit()]


def gpu_of(worker: str) -> str:
    """Return what GPU this process's worker has: as its name says, `edit-gpu3@host`, else CUDA_VISIBLE_DEVICES.

    In a container that is given one GPU it is number 0 there, whichever of the host's it is: only the name knows.
    """
    named = _IN_A_NAME.search(worker)
    return named[1].replace("+", ",") if named else os.environ.get("CUDA_VISIBLE_DEVICES", "")


def _nvidia_smi(query: str) -> list[str]:
    """Return the lines of a query to the driver's own tool, none where there is no driver."""
    command = ["nvidia-smi", query, "--format=csv,noheader"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return []
