"""How long it takes to have another model on the one GPU: editor and judge, parked in host memory in turns."""

from __future__ import annotations

import gc
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from torch import Tensor, nn

from benchmarks.figures.stopwatch import seconds_of
from benchmarks.figures.tables import figure, markdown_table
from benchmarks.full_size.networks import (
    EDITOR,
    JUDGE_8B,
    JUDGE_30B,
    TINY_EDITOR,
    TINY_JUDGE,
    EditorSize,
    JudgeSize,
    make_judge,
    make_text_encoder,
    make_transformer,
    make_vae,
    weight_bytes,
)
from db.settings import Settings
from workers.host import Host
from workers.models.loading.parking import HostCopy, host_bytes_of

_ROUNDS = 3
_HOST_RESERVE_BYTES = int(Settings.host_reserve_gb * 1e9)


@dataclass(frozen=True)
class SwapWork:
    """The editor, and the judges in the order in which they are tried."""

    editor: EditorSize
    judges: Sequence[JudgeSize]


FULL_WORK = SwapWork(EDITOR, (JUDGE_30B, JUDGE_8B))
TINY_WORK = SwapWork(TINY_EDITOR, (TINY_JUDGE,))


@dataclass(frozen=True)
class Parked:
    """A model in pinned host memory, and what its ways there and back cost; times in seconds, sizes in bytes."""

    name: str
    copy: HostCopy
    weights: int
    host_memory: int
    pinning: float
    coming_back: float
    to_pageable: float
    from_pageable: float


def measure_swapping(work: SwapWork, judge: JudgeSize | None) -> Iterator[str]:
    """Yield the tables: each model's ways to host memory and back, then both swaps. Without a judge, the largest fits.

    Raises ClickException where the host has no room for the editor and the judge.
    """
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder), loads_at_once=1, reserve_bytes=_HOST_RESERVE_BYTES)
        _check_room(work.editor.name, _editor_networks(work.editor, torch.device("meta")), host)
        editor = _park(work.editor.name, lambda: _editor_networks(work.editor), host)
        chosen = judge or _largest_that_fits(work.judges, host)
        other = _park(chosen.name, lambda: [make_judge(chosen)], host)
        yield f"### Parking: bfloat16, all three networks of the editor\n\n{_parking_table(editor, other)}"
        yield f"### Swapping: from pinned host memory\n\n{_swap_table(editor, other, host)}"
        if judge is None and chosen != work.judges[0]:
            yield f"The host has no room for {work.judges[0].name} besides the editor: {chosen.name} took its place."


def _editor_networks(size: EditorSize, device: torch.device | None = None) -> list[nn.Module]:
    return [make(size, device) for make in (make_transformer, make_text_encoder, make_vae)]


def _check_room(name: str, networks: Sequence[nn.Module], host: Host) -> None:
    needed = host_bytes_of(networks)
    if not host.has_room(needed):
        raise click.ClickException(f"{name} takes {needed / 1e9:.0f} GB of host memory, and the host has not so much")


def _largest_that_fits(judges: Sequence[JudgeSize], host: Host) -> JudgeSize:
    for judge in judges[:-1]:
        if host.has_room(host_bytes_of([make_judge(judge, torch.device("meta"))])):
            return judge
    _check_room(judges[-1].name, [make_judge(judges[-1], torch.device("meta"))], host)
    return judges[-1]


def _park(name: str, make: Callable[[], list[nn.Module]], host: Host) -> Parked:
    """Make the model on the device and leave it in pinned host memory, having tried pageable memory first."""
    click.echo(f"{name}: making it, then to the host and back", err=True)
    networks = make()
    to_pageable, from_pageable = _pageable_seconds(networks, host)
    gc.collect()
    before = _available_bytes()
    copy = _host_copy(networks, pinned=True)
    pinning = seconds_of(lambda: _leave(copy, host))
    host_memory = before - _available_bytes()
    coming_back = []
    for _ in range(_ROUNDS):
        coming_back.append(seconds_of(copy.come_back))
        _leave(copy, host)
    return Parked(
        name=name,
        copy=copy,
        weights=sum(weight_bytes(network) for network in networks),
        host_memory=host_memory,
        pinning=pinning,
        coming_back=statistics.median(coming_back),
        to_pageable=to_pageable,
        from_pageable=from_pageable,
    )


def _pageable_seconds(networks: Sequence[nn.Module], host: Host) -> tuple[float, float]:
    """Return how long it takes to copy the weights to pageable host memory and back, each once, in seconds."""
    copy = _host_copy(networks, pinned=False)
    return seconds_of(lambda: _leave(copy, host)), seconds_of(copy.come_back)


def _host_copy(networks: Sequence[nn.Module], *, pinned: bool) -> HostCopy:
    """Return the farm's own, or one that pins nothing; without a GPU every tensor counts as away from the host."""
    if not torch.cuda.is_available():
        return HostCopy(networks, is_away=lambda _tensor: True, allocate=_pageable)
    return HostCopy(networks) if pinned else HostCopy(networks, allocate=_pageable)


def _pageable(count: int) -> Tensor:
    return torch.empty(count, dtype=torch.uint8)


def _leave(copy: HostCopy, host: Host) -> None:
    if not copy.leave(host.reserved):
        raise click.ClickException("the host has no room for a copy of the weights")


def _available_bytes() -> int:
    """Return the host's memory that can be had without swapping, in bytes (Linux)."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _parking_table(*models: Parked) -> str:
    header = ["model", "weights, GB", "first park, s", "of host memory, GB", "back, s", "GB/s"]
    header += ["to pageable, s", "back from pageable, s", "GB/s"]
    rows = [
        [
            model.name,
            figure(model.weights / 1e9),
            figure(model.pinning),
            figure(max(0, model.host_memory) / 1e9),
            figure(model.coming_back),
            figure(model.weights / model.coming_back / 1e9),
            figure(model.to_pageable),
            figure(model.from_pageable),
            figure(model.weights / model.from_pageable / 1e9),
        ]
        for model in models
    ]
    return markdown_table(header, rows)


def _swap_table(editor: Parked, judge: Parked, host: Host) -> str:
    def swap(leaving: Parked, coming: Parked) -> None:
        _leave(leaving.copy, host)
        coming.copy.come_back()

    editor.copy.come_back()
    pairs = [(seconds_of(lambda: swap(editor, judge)), seconds_of(lambda: swap(judge, editor))) for _ in range(_ROUNDS)]
    rows = [
        [f"{editor.name} to {judge.name}", figure(statistics.median(there for there, _ in pairs))],
        [f"{judge.name} to {editor.name}", figure(statistics.median(back for _, back in pairs))],
    ]
    return markdown_table(["swap", "s"], rows)
