"""Whether the GPUs of this host can be used: driver, torch's CUDA, their numbers, their memory and their health."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from db.gpus import Driver, DriverFault, Gpu, pinned_gpus
from db.owner import this_host
from producer.doctor.disks import in_gigabytes
from producer.doctor.finding import Found, State, Trouble, Unseen, fine
from producer.doctor.torch import TorchFault, ask_torch, torch_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.doctor.sights import Sights

IN_USE_BYTES = 1 << 30

NO_DRIVER = Trouble(
    State.NOTE,
    "no NVIDIA driver: workers of this host run on its CPUs",
    "on a machine with GPUs install the driver; in a container start it with `--gpus all` (NVIDIA Container Toolkit)",
)
DRIVER_FAULT = Trouble(
    State.FAULT,
    "the driver does not answer: mostly it was updated under a running system, or a GPU fell off the bus",
    "restart this machine; `dmesg | grep -i -e nvrm -e xid` says what happened",
)
NO_SUCH_GPU = Trouble(
    State.FAULT,
    "CUDA_VISIBLE_DEVICES names a GPU that is not there; CUDA ignores it and all behind it",
    "`export CUDA_VISIBLE_DEVICES={there}`",
)
HIDDEN = Trouble(
    State.NOTE,
    "CUDA_VISIBLE_DEVICES hides all GPUs: workers started from here run on CPUs",
    "`unset CUDA_VISIBLE_DEVICES`",
)
ORDER = Trouble(
    State.WARNING,
    "GPUs of different kinds, which CUDA numbers by speed and the driver's tools by their place",
    "`export CUDA_DEVICE_ORDER=PCI_BUS_ID` for `celery -A workers worker`; `python -m workers` does it itself",
)
NO_TORCH = Trouble(
    State.WARNING,
    "this host has GPUs and no torch: it can submit and report, and run no diffusion editor or judge",
    "`pip install 'editfarm[gpu]'`, where workers are to run",
)
TORCH_BROKEN = Trouble(State.FAULT, "torch cannot be imported", "`pip install --force-reinstall torch`")
TORCH_SLOW = Trouble(
    State.WARNING,
    "importing torch took too long to wait for, as it does from a slow disk or for the first time",
    "ask again; if it stays so: `time python -c 'import torch'`, and a virtual environment on a local disk",
)
TORCH_FOR_CPUS = Trouble(
    State.FAULT,
    "this torch was built for CPUs",
    "`pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128`, or what your driver has",
)
TORCH_NO_CUDA = Trouble(
    State.FAULT,
    "torch and the driver do not come together: mostly the driver is older than the CUDA that torch was built for",
    "update the NVIDIA driver, or install a torch for its CUDA: https://pytorch.org/get-started/previous-versions/",
)
NO_KERNELS = Trouble(
    State.FAULT,
    "this torch has no kernels for the GPU: it is newer or older than what torch was built for",
    "`pip install --upgrade torch`, or an older one for an old GPU",
)
TAKEN = Trouble(
    State.WARNING,
    "others hold memory of the GPU, and no worker of this farm lives on it",
    "end them, or give this GPU no worker: `python -m workers --gpus {others}`; `nvidia-smi` shows who it is",
)
TOO_SMALL = Trouble(
    State.WARNING,
    "a model's weights are larger than a GPU: parts wait in host memory, and edits take several times as long",
    "`python -m workers --gpus-per-worker {count}`, or a smaller model",
)
MEMORY_ERRORS = Trouble(
    State.FAULT,
    "the GPU's memory has had errors that could not be corrected: jobs on it fail, or end in wrong pixels",
    "restart the machine, or reset the GPU while nothing uses it; should they come back, have the GPU replaced",
)


def driver(sights: Sights) -> Iterator[Found]:
    """See whether there is a driver, and which GPUs it shows."""
    found = sights.gpus.tried()
    if isinstance(found, DriverFault):
        yield DRIVER_FAULT(str(found))
    elif isinstance(found, Exception):
        raise found
    elif found is None:
        yield NO_DRIVER("neither nvidia-smi nor NVML finds a driver")
    else:
        yield fine(f"driver {found.version}; {', '.join(f'{gpu.index}: {gpu.name}' for gpu in found.gpus) or 'no GPU'}")


def visible(sights: Sights) -> Iterator[Found]:
    """Hold CUDA_VISIBLE_DEVICES against the GPUs that there are; a container numbers those it was given from 0."""
    gpus = _driver(sights).gpus
    pinned = pinned_gpus()
    if pinned is None:
        yield fine(f"all {len(gpus)}: CUDA_VISIBLE_DEVICES is not set")
        return
    wrong = [entry for entry in pinned if not _names_a_gpu(entry, gpus)]
    seen = f"CUDA_VISIBLE_DEVICES={','.join(pinned)}"
    if pinned in ([""], ["-1"]):
        yield HIDDEN(f"{seen} hides all {len(gpus)}")
    elif wrong:
        there = ",".join(str(gpu.index) for gpu in gpus)
        where = ", and a container counts those it was given from 0" if _in_container() else ""
        yield NO_SUCH_GPU(f"{seen}: there is no {wrong[0]}{where}", there=there)
    else:
        yield fine(seen)


def order(sights: Sights) -> Iterator[Found]:
    """See whether a number means the same GPU to CUDA and to the driver's tools."""
    kinds = {gpu.name for gpu in _driver(sights).gpus}
    by_place = os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    if len(kinds) > 1 and not by_place:
        yield ORDER(f"{' and '.join(sorted(kinds))}, and CUDA_DEVICE_ORDER is not PCI_BUS_ID")
    else:
        yield fine("CUDA_DEVICE_ORDER is PCI_BUS_ID" if by_place else "all GPUs are alike")


def torch_cuda(sights: Sights) -> Iterator[Found]:
    """Import torch in another process and see whether it finds the GPUs and has kernels for them."""
    count = len(_driver(sights).gpus)
    installed = torch_version()
    if installed is None:
        yield NO_TORCH(f"{count} GPUs and no torch in {sys.prefix}")
        return
    try:
        torch = ask_torch()
    except TorchFault as error:
        yield TORCH_SLOW(str(error)) if "has not ended" in str(error) else TORCH_BROKEN(f"torch {installed}: {error}")
        return
    foreign = [name for name, capability in torch.devices if not _has_kernels(capability, torch.kernels)]
    if torch.cuda is None:
        yield TORCH_FOR_CPUS(f"torch {installed} without CUDA")
    elif not torch.available and pinned_gpus() not in ([""], ["-1"]):
        yield TORCH_NO_CUDA(f"torch {installed} for CUDA {torch.cuda}: {torch.warning or 'finds no GPU'}")
    elif foreign:
        yield NO_KERNELS(f"torch {installed} has kernels for {', '.join(torch.kernels)}, none for {foreign[0]}")
    else:
        yield fine(f"torch {installed} for CUDA {torch.cuda} sees {len(torch.devices)} of {count} GPUs")


def memory(sights: Sights) -> Iterator[Found]:
    """Hold what is free against what others hold and what the largest waiting model takes."""
    driver = _driver(sights)
    ours = _gpus_of_workers_here(sights)
    for gpu in driver.gpus:
        holders = [holder for holder in driver.holders if holder.gpu_uuid == gpu.uuid]
        seen = f"GPU {gpu.index}: {in_gigabytes(gpu.memory_free_bytes)} of {in_gigabytes(gpu.memory_total_bytes)} free"
        is_ours = any(one == str(gpu.index) or gpu.uuid.startswith(one) for one in ours)
        if gpu.memory_used_bytes > IN_USE_BYTES and not is_ours:
            who = ", ".join(f"{Path(one.name).name or 'process'} {one.pid}" for one in holders) or "somebody unseen"
            others = ",".join(str(one.index) for one in driver.gpus if one is not gpu)
            yield TAKEN(f"{seen}, held by {who}", others=others or "LIST")
        else:
            yield fine(seen)
    yield from _too_small(sights, driver)


def health(sights: Sights) -> Iterator[Found]:
    """Count the memory errors that could not be corrected."""
    gpus = _driver(sights).gpus
    for gpu in gpus:
        if gpu.uncorrected_errors:
            yield MEMORY_ERRORS(f"GPU {gpu.index}: {gpu.uncorrected_errors:,} uncorrected memory errors")
    if gpus and not any(gpu.uncorrected_errors for gpu in gpus):
        counted = sum(gpu.uncorrected_errors is not None for gpu in gpus)
        yield fine("no uncorrected memory errors" if counted else "these GPUs do not count memory errors")


def _driver(sights: Sights) -> Driver:
    found = sights.gpus()
    if found is None:
        raise Unseen
    return found


def _names_a_gpu(entry: str, gpus: Sequence[Gpu]) -> bool:
    """Tell whether CUDA would find it: by index, or by the beginning of a UUID. Slices of a GPU (MIG) pass unseen."""
    if entry.isdigit():
        return int(entry) in {gpu.index for gpu in gpus}
    return entry.startswith("MIG-") or (entry != "" and any(gpu.uuid.startswith(entry) for gpu in gpus))


def _in_container() -> bool:
    return Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_PORT" in os.environ


def _has_kernels(capability: int, kernels: Sequence[str]) -> bool:
    """Tell whether code for this capability is in the build.

    Binary code runs on its own generation, from its own minor version on; intermediate code (`compute_`) on all later.
    """
    for kind, number in (found.groups() for kernel in kernels if (found := re.match(r"(sm|compute)_(\d+)", kernel))):
        built_for = int(number)
        if built_for <= capability and (kind == "compute" or built_for // 10 == capability // 10):
            return True
    return False


def _gpus_of_workers_here(sights: Sights) -> set[str]:
    """Return what the workers that live name as their GPUs, UUIDs maybe cut short; of all hosts where none is named."""
    ledger = sights.ledger.tried()
    if isinstance(ledger, Exception):
        return set()
    here = this_host().partition("/")[0]
    names = {worker.gpu for worker in ledger.living if worker.name.partition("@")[2] in ("", here)}
    return {entry.strip() for name in names for entry in re.split(r"[,+]", name)} - {""}


def _too_small(sights: Sights, driver: Driver) -> Iterator[Found]:
    largest_gpu = max((gpu.memory_total_bytes for gpu in driver.gpus), default=0)
    for weights in sights.weights():
        size = weights.size_bytes()
        if largest_gpu and size > largest_gpu:
            seen = f"{weights.name} has {in_gigabytes(size)} of weights, the largest GPU {in_gigabytes(largest_gpu)}"
            yield TOO_SMALL(seen, count=-(-size // largest_gpu))
