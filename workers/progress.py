"""Tells what this pool child is at, as Celery events: loading, denoising steps, scoring; and that it moves at all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from db.activity import EVENT, Activity
from workers.machine import device_memory

SECONDS_BETWEEN_EVENTS = 0.5

MEMORY_SECONDS = 1.0
"""For so long what the driver says of the memory is told again, unasked."""


class Told(Protocol):
    """A job of which is told, such as a `workers.stint.sightings.Sighting`."""

    def send_event(self, kind: str, /, **fields: Any) -> None: ...  # noqa: D102


class Progress:
    """One for the life of the pool child, which says when a job begins.

    `beat` is called whenever something was done. What it raises goes on to the model that told of its progress: so is a
    job stopped that is not wanted. `memory` tells how many bytes of the GPUs' memory are taken, of how many.
    """

    def __init__(
        self,
        beat: Callable[[], None] = lambda: None,
        memory: Callable[[], tuple[int, int]] = device_memory,
        *,
        gpu: str = "",
    ) -> None:
        self.beat = beat
        self._memory = memory
        self._memory_bytes, self._memory_asked_at = (0, 0), -math.inf
        self._gpu = gpu
        self._job: Told | None = None
        self._model = self._key = ""
        self._first_step_at = self._next_event_at = 0.0
        self._shown: Activity | None = None

    def begin(self, job: Told, *, model: str, key: str) -> None:
        """A job begins: its events carry its id, this model and this sample."""
        self._job, self._model, self._key, self._shown = job, model, key, None

    def show(self, what: str) -> None:
        """Tell what is done now, at once unless the same was just told."""
        self.beat()
        activity = Activity(gpu=self._gpu, what=what, model=self._model, key=self._key)
        if activity != self._shown:
            self._shown = activity
            self._send(activity, urgent=True)

    def wait(self, what: str) -> None:
        """Tell what is waited for; may be called as often as one likes."""
        self.beat()
        self.waits(what)

    def waits(self, what: str) -> None:
        """Tell what something beside the job is waited for; from any thread, and nothing is raised."""
        self._send(Activity(gpu=self._gpu, what=what, model=self._model, key=self._key))

    def step(self, step: int, steps: int) -> None:
        """Tell that so many denoising steps are done; the rate is counted from the end of the first."""
        self.beat()
        now = time.monotonic()
        if step <= 1:
            self._first_step_at = now
        elapsed = now - self._first_step_at
        rate = (step - 1) / elapsed if elapsed > 0 else 0.0
        self._send(
            Activity(
                gpu=self._gpu,
                what="editing",
                model=self._model,
                key=self._key,
                step=step,
                steps=steps,
                steps_per_second=round(rate, 3),
            ),
            urgent=step == steps,
        )

    def _send(self, activity: Activity, *, urgent: bool = False) -> None:
        now = time.monotonic()
        if self._job is not None and (urgent or now >= self._next_event_at):
            self._next_event_at = now + SECONDS_BETWEEN_EVENTS
            used, total = self._memory_at(now)
            told = replace(activity, memory_used_bytes=used, memory_bytes=total)
            self._job.send_event(EVENT, **told.fields())

    def _memory_at(self, now: float) -> tuple[int, int]:
        if now - self._memory_asked_at >= MEMORY_SECONDS:
            self._memory_bytes, self._memory_asked_at = self._memory(), now
        return self._memory_bytes
