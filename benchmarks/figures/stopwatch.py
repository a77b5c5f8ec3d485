"""Times calls on whatever device computes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

K = TypeVar("K")

Call = Callable[[], object]


def seconds_of(call: Call) -> float:
    """Return the wall time of one call, in seconds, until the device has done all of it."""
    _synchronize()
    started = time.perf_counter()
    call()
    _synchronize()
    return time.perf_counter() - started


def median_seconds(call: Call, *, rounds: int) -> float:
    """Return the median wall time of `rounds` calls, in seconds, after one that does not count."""
    return interleaved_seconds({"": call}, rounds=rounds)[""]


def interleaved_seconds(calls: Mapping[K, Call], *, rounds: int, warm_ups: int = 1) -> dict[K, float]:
    """Return the median wall time of each call, in seconds; every round makes all of them, one after the other.

    A machine that slows down on the way thus slows them all, and their ratios hold.
    """
    for _ in range(warm_ups):
        for call in calls.values():
            call()
    times: dict[K, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds_of(call))
    return {name: statistics.median(measured) for name, measured in times.items()}


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
