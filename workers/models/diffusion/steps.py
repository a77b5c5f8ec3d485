"""Tells of denoising steps: stands where a pipeline wants its progress bar, the one way to see steps that all have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workers.models.protocols import OnStep, unobserved


class Steps:
    """Makes what pipelines take for their progress bar; knows no pipeline, which would keep it alive."""

    def __init__(self) -> None:
        self.on_step: OnStep = unobserved

    def counter(self, iterable: Iterable[Any] | None = None, total: int | None = None) -> StepCounter:
        """Return a counter for one call of the pipeline."""
        items = list(iterable or ())
        return StepCounter(self.on_step, items, total or len(items))


class StepCounter:
    """Each update, or each item that was done, is a finished step."""

    def __init__(self, on_step: OnStep, items: Sequence[Any], total: int) -> None:
        self._on_step, self._items, self._total, self._done = on_step, items, total, 0

    def __enter__(self) -> StepCounter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update()

    def update(self, count: int = 1) -> None:
        """Count."""
        self._done += count
        self._on_step(self._done, self._total)
