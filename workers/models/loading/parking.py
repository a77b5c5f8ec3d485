"""A copy of a model's weights in pinned host memory, so that it can leave the GPU for another one and come back fast.

Weights do not change, so leaving costs no copy: the device's is dropped, the host's takes its place. Coming back is one
copy at the speed of the bus; from pageable memory it would be a fifth of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from workers.models.loading.devices import empty_cache
from workers.models.protocols import Reserve


class HostCopy:
    """The weights and buffers of some modules, on their device or on the host.

    `is_away` tells which tensors are on a device that can be left; those elsewhere stay where they are.
    """

    def __init__(
        self,
        modules: Iterable[nn.Module],
        *,
        is_away: Callable[[Tensor], bool] = lambda tensor: tensor.is_cuda,
        pin: Callable[[Tensor], Tensor] = lambda tensor: tensor.detach().cpu().pin_memory(),
    ) -> None:
        self._tensors = [tensor for tensor in _tensors(modules) if is_away(tensor)]
        self._devices = [tensor.device for tensor in self._tensors]
        self._pin = pin
        self._kept: list[Tensor] | None = None

    def leave(self, reserve: Reserve) -> bool:
        """Free the device; False, with nothing changed, when the host has no room for the copy.

        The copy is made the first time and kept. Where nothing is on a device there is nothing to do.
        """
        if self._kept is None:
            with reserve(sum(tensor.nbytes for tensor in self._tensors)) as granted:
                if not granted:
                    return False
                self._kept = [self._pin(tensor) for tensor in self._tensors]
        for tensor, kept in zip(self._tensors, self._kept, strict=True):
            tensor.data = kept
        empty_cache()
        return True

    def come_back(self) -> None:
        """Take the device again. Raises torch.OutOfMemoryError, with everything on the host, if there is no room."""
        if self._kept is None:
            return
        try:
            for tensor, device in zip(self._tensors, self._devices, strict=True):
                tensor.data = tensor.data.to(device, non_blocking=True, copy=True)
        except torch.OutOfMemoryError:
            for tensor, kept in zip(self._tensors, self._kept, strict=True):
                tensor.data = kept
            raise
        for device in {device for device in self._devices if device.type == "cuda"}:
            torch.cuda.synchronize(device)


def _tensors(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Yield every parameter and buffer once, however many modules share it."""
    seen: set[int] = set()
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor
