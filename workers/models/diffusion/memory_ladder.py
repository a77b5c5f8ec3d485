"""What is tried, one after the other, when an edit does not fit the GPU's memory.

Each rung costs more time than the one before, and tiling changes a few pixels; so an edit that needed one says so, and
the next edit begins at the bottom again: what it looks like must not depend on what ran before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import structlog
import torch

from db.errors import first_line
from workers.models.diffusion.speed import networks_of
from workers.models.errors import OutOfMemory
from workers.models.loading.devices import empty_cache, is_out_of_memory
from workers.models.loading.host_memory import host_memory

log = structlog.get_logger()

T = TypeVar("T")


def climb(call: Callable[[], T], pipeline: Any) -> tuple[T, list[str]]:
    """Return what the call returns, and the rungs it took: none when it fitted at once.

    Raises OutOfMemory, naming what was tried, when it fits on none of them; the pipeline is then as it was.
    """
    taken: list[str] = []
    with ExitStack() as undone:
        rungs = _rungs(pipeline)
        while True:
            try:
                return call(), taken
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                shortage = first_line(error)
            rung = next(rungs, None)  # outside the except: there the failed call's tensors are still held
            if rung is None:
                raise OutOfMemory(f"{shortage} (tried: {', '.join(taken)})", {"out_of_memory": taken})
            name, step = rung
            taken.append(name)
            log.warning("edit.out_of_memory", reason=shortage, next=name)
            try:
                undone.enter_context(step(pipeline))
            except Exception as error:
                raise OutOfMemory(f"{shortage} (then {name} failed: {error})", {"out_of_memory": taken}) from error


Rung = Callable[[Any], Any]


def _rungs(pipeline: Any) -> Iterator[tuple[str, Rung]]:
    yield "emptied cache", _emptied_cache
    vae = getattr(pipeline, "vae", None)
    if hasattr(vae, "enable_tiling") and not getattr(vae, "use_tiling", False):
        yield "VAE tiling", _vae_tiling
    if torch.cuda.is_available() and torch.cuda.device_count() == 1 and _can_be_offloaded(pipeline):
        yield "model offload", _model_offload


def _can_be_offloaded(pipeline: Any) -> bool:
    needed = sum(parameter.nbytes for network in networks_of(pipeline) for parameter in network.parameters())
    memory = host_memory()
    return bool(pipeline.model_cpu_offload_seq) and (memory is None or memory.available > 1.2 * needed)


@contextmanager
def _emptied_cache(_pipeline: Any) -> Iterator[None]:
    empty_cache()
    yield


@contextmanager
def _vae_tiling(pipeline: Any) -> Iterator[None]:
    pipeline.vae.enable_tiling()
    empty_cache()
    try:
        yield
    finally:
        pipeline.vae.disable_tiling()


@contextmanager
def _model_offload(pipeline: Any) -> Iterator[None]:
    """Keep on the GPU only the network that computes just now."""
    device = pipeline.device
    try:
        pipeline.reset_device_map()
        pipeline.enable_model_cpu_offload()
        yield
    finally:
        pipeline.remove_all_hooks()
        empty_cache()
        pipeline.to(device)
