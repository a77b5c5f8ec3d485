"""Which model is on this GPU: one at a time, loaded when a job first needs it, given up for another.

The one object of a pool child that outlives a job: loading takes minutes, so what is loaded stays.
"""

from __future__ import annotations

import importlib
import time
from typing import Any, cast

import structlog

from db.catalogue import Role, find_spec
from db.configuration import ModelChoice, load_options
from workers.models.protocols import Editor, Scorer

log = structlog.get_logger()


class CannotLoad(Exception):
    """The model could not be loaded here."""


class Resident:
    """The model in memory; asking for another one closes it first, so two never share the device."""

    def __init__(self) -> None:
        self._choice: tuple[Role, ModelChoice] | None = None
        self._model: Editor | Scorer | None = None

    def editor(self, choice: ModelChoice) -> Editor:
        """Return the editor, loading it if it is not the resident model. Raises CannotLoad."""
        return cast(Editor, self._resident(Role.EDITOR, choice))

    def scorer(self, choice: ModelChoice) -> Scorer:
        """Return the scorer, likewise."""
        return cast(Scorer, self._resident(Role.SCORER, choice))

    def close(self) -> None:
        """Give up the resident model."""
        model, self._model, self._choice = self._model, None, None
        if model is not None:
            model.close()

    def _resident(self, role: Role, choice: ModelChoice) -> Editor | Scorer:
        if self._model is None or self._choice != (role, choice):
            self.close()
            started = time.perf_counter()
            self._model = _load(role, choice)
            self._choice = (role, choice)
            log.info(
                "model.loaded", role=role.value, model=choice.label, seconds=round(time.perf_counter() - started, 3)
            )
        return self._model


def _load(role: Role, choice: ModelChoice) -> Editor | Scorer:
    try:
        module, _, name = find_spec(role, choice.name).backend.partition(":")  # from the catalogue, never from outside
        backend: Any = getattr(importlib.import_module(module), name)
        return cast("Editor | Scorer", backend(load_options(role, choice)))
    except Exception as error:  # whatever a backend's loading may raise is a reason, not a crash
        log.error("model.cannot_load", role=role.value, model=choice.label, exc_info=error)
        raise CannotLoad(
            f"{role.value} {choice.label!r} could not be loaded: {type(error).__name__}: {error}"
        ) from error
