"""Tells what this pool child is at, as Celery events: loading, denoising steps, scoring; and that it moves at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import structlog
from celery import Task
from kombu.exceptions import OperationalError
from redis import RedisError

from db.activity import EVENT, Activity
from db.errors import first_line

log = structlog.get_logger()

SECONDS_BETWEEN_EVENTS = 0.5
SILENCE_SECONDS = 60.0
"""How long nothing is told after the broker did not take an event: a job must not wait for it again and again."""


_NOT_TAKEN = (OperationalError, RedisError, OSError, AttributeError)
"""What a broker that is gone comes to: kombu lets redis' own errors through, and trips over what it has lost."""


class Progress:
    """One for the life of the pool child; tasks say when they begin.

    `beat` is called whenever something was done, `patient` is entered while a broker may be waited for. Whatever `beat`
    raises goes on to the model that told of its progress: so is a job stopped that is not wanted.
    """

    def __init__(
        self,
        beat: Callable[[], None] = lambda: None,
        *,
        patient: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.beat = beat
        self._patient = patient
        self._gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        self._task: Task[..., Any] | None = None
        self._model = self._key = ""
        self._first_step_at = self._next_event_at = 0.0
        self._shown: Activity | None = None

    def begin(self, task: Task[..., Any], *, model: str, key: str) -> None:
        """A job begins: its events carry this task's id, this model and this sample."""
        self._task, self._model, self._key, self._shown = task, model, key, None

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
        silenced = self._next_event_at - now > SECONDS_BETWEEN_EVENTS
        if self._task is None or silenced or (now < self._next_event_at and not urgent):
            return
        self._next_event_at = now + SECONDS_BETWEEN_EVENTS
        try:
            with self._patient():
                self._task.send_event(EVENT, retry=False, **activity.fields())
        except _NOT_TAKEN as error:
            self._next_event_at = now + SILENCE_SECONDS
            log.info("progress.not_sent", reason=first_line(error), next=f"again in {SILENCE_SECONDS:.0f} s")
