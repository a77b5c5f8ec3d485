"""What of this machine and its software shapes a result, without anybody having asked for it."""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_SHAPING = (
    "torch",
    "diffusers",
    "transformers",
    "tokenizers",
    "accelerate",
    "peft",
    "numpy",
    "openai",
    "xgrammar",
    "cache_dit",
)
"""Libraries that count where a model has loaded them; Pillow decodes every image and always counts."""


def machine_facts() -> dict[str, object]:
    """Return device, driver and versions (JSON values), as they are once a model is loaded. Hosts alike say alike."""
    return {
        "device": _device(),
        "python": platform.python_version(),
        "libraries": _versions(),
        **_cuda(),
    }


def device_memory() -> tuple[int, int]:
    """Return how many bytes of the GPUs' memory are taken, by whomever, and how many there are.

    Zeros where this process has touched no GPU: asking would take a part of its memory.
    """
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    with suppress(RuntimeError, AttributeError):  # a GPU that fails, a torch that is only half imported
        if cuda is not None and cuda.is_initialized():
            free, total = map(sum, zip(*map(cuda.mem_get_info, range(cuda.device_count())), strict=True))
            return total - free, total
    return 0, 0


def _versions() -> dict[str, str]:
    loaded = [name for name in _SHAPING if name in sys.modules]
    return {name: found for name in ["pillow", *loaded] if (found := _version_of(name))}


def _version_of(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _device() -> str:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return " + ".join(names)
    return _processor()


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cuda() -> dict[str, object]:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    return {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
