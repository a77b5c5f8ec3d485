"""A copy of a model's weights in pinned host memory, so that it can leave the GPU for another one and come back fast.

Weights do not change, so leaving costs no copy after the first: the device's is dropped, the host's takes its place.
Coming back is one copy at the speed of the bus; from pageable memory it would be a fifth of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from workers.models.loading.devices import empty_cache
from workers.models.protocols import Reserve

_PIECE_BYTES = 4 << 30
_ALIGNMENT_BYTES = 512


@dataclass
class _Piece:
    """One allocation, with the tensors in it by their number and offset.

    torch rounds each pinned allocation up to a power of two: one for every tensor would take 96 GB for the 58 GB of
    Qwen-Image-Edit. So tensors are packed into few allocations of such sizes.
    """

    capacity: int
    used: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        """The bytes to allocate: what is used, rounded up as torch would."""
        return min(self.capacity, _power_of_two(self.used))

    def take(self, number: int, size: int) -> bool:
        """Give the tensor a place if there is room."""
        if self.used + size > self.capacity:
            return False
        self.places.append((number, self.used))
        self.used += -(-size // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
        return True


class HostCopy:
    """The weights and buffers of some modules, on their device or on the host.

    `is_away` tells which tensors are on a device that can be left; those elsewhere stay where they are. `allocate`
    returns so many bytes of host memory, as a flat tensor.
    """

    def __init__(
        self,
        modules: Iterable[nn.Module],
        *,
        is_away: Callable[[Tensor], bool] = lambda tensor: tensor.is_cuda,
        allocate: Callable[[int], Tensor] = lambda count: torch.empty(count, dtype=torch.uint8, pin_memory=True),
    ) -> None:
        self._modules = list(modules)
        self._is_away = is_away
        self._allocate = allocate
        self._tensors: list[Tensor] = []
        self._devices: list[torch.device] = []
        self._kept: list[Tensor] | None = None

    def leave(self, reserve: Reserve) -> bool:
        """Free the device; False, with nothing changed, when the host has no room for the copy.

        The copy is made the first time and kept. Where nothing is on a device there is nothing to do.
        """
        if self._kept is None:
            self._tensors = [one for one in _tensors(self._modules) if self._is_away(one) and one.numel()]
            self._devices = [tensor.device for tensor in self._tensors]
            pieces = _packed([tensor.nbytes for tensor in self._tensors])
            with reserve(sum(piece.length for piece in pieces)) as granted:
                if not granted:
                    return False
                self._kept = self._copied(pieces)
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

    def _copied(self, pieces: Sequence[_Piece]) -> list[Tensor]:
        """Return a view into host memory for each tensor, with its content."""
        views: dict[int, Tensor] = {}
        for piece in pieces:
            memory = self._allocate(piece.length)
            for number, offset in piece.places:
                tensor = self._tensors[number]
                view = memory[offset : offset + tensor.nbytes].view(tensor.dtype).view(tensor.shape)
                views[number] = view.copy_(tensor.detach())
        return [views[number] for number in range(len(self._tensors))]


def host_bytes_of(modules: Iterable[nn.Module]) -> int:
    """Return what a copy of all weights and buffers takes of the host, in bytes."""
    return sum(piece.length for piece in _packed([tensor.nbytes for tensor in _tensors(modules) if tensor.numel()]))


def _packed(sizes: Sequence[int]) -> list[_Piece]:
    """Pack tensors of these sizes into pieces, the largest first, each into the first piece with room."""
    pieces: list[_Piece] = []
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number]):
        if not any(piece.take(number, sizes[number]) for piece in pieces):
            pieces.append(_Piece(max(_PIECE_BYTES, _power_of_two(sizes[number]))))
            pieces[-1].take(number, sizes[number])
    return pieces


def _power_of_two(count: int) -> int:
    """Return the smallest power of two that is no less than `count`, which is at least 1."""
    return 1 << (count - 1).bit_length()


def _tensors(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Yield every parameter and buffer once, however many modules share it."""
    seen: set[int] = set()
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                yield tensor
