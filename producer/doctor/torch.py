"""What torch sees of the GPUs, asked in a process of its own: the producer never imports it, and it takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from db.errors import first_line

IMPORT_SECONDS = 10.0

_ASK = """
import json, warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    import torch
    available = torch.cuda.is_available()
    count = torch.cuda.device_count() if available else 0
devices = [torch.cuda.get_device_properties(index) for index in range(count)]
print(json.dumps({
    "cuda": torch.version.cuda,
    "available": available,
    "kernels": torch.cuda.get_arch_list() if available else [],
    "devices": [[device.name, device.major * 10 + device.minor] for device in devices],
    "warning": next((str(one.message) for one in told if "CUDA" in str(one.message)), ""),
}))
"""


class TorchFault(Exception):
    """It cannot be imported, or did not come to an end; the message says which."""


@dataclass(frozen=True)
class Torch:
    """What it says. `cuda`: the CUDA it was built for, None for CPUs; `devices`: name and compute capability x 10."""

    cuda: str | None
    available: bool
    kernels: Sequence[str]
    devices: Sequence[tuple[str, int]]
    warning: str


def torch_version() -> str | None:
    """Return the version that is installed, without importing it."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def ask_torch(seconds: float = IMPORT_SECONDS) -> Torch:
    """Import it in another process, with this one's environment, and ask. Raises TorchFault."""
    try:
        done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise TorchFault(f"`import torch` has not ended in {seconds:.0f} seconds") from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise TorchFault(lines[-1] if lines else f"it ended with exit code {done.returncode}")
    told = json.loads(done.stdout.splitlines()[-1])
    told["devices"] = [tuple(device) for device in told["devices"]]
    told["warning"] = first_line(Exception(told["warning"])) if told["warning"] else ""
    return Torch(**told)
