"""Which model is on this GPU: one at a time, loaded when a job first needs it, parked in host memory for another.

The one object of a pool child that outlives a job: loading takes minutes, so what is loaded stays. Models that fill no
GPU, arithmetic on pixels or a server elsewhere, stay beside it and displace nothing.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import structlog

from db.catalogue import Role, find_spec
from db.choice import ModelChoice
from db.configuration import load_options
from db.errors import first_line
from workers.host import Host, HostTooSmall
from workers.machine import machine_facts
from workers.models.errors import ModelFault, broken_device
from workers.models.protocols import Editor, Model, Scorer
from workers.tally import NOT_COUNTED, Tally

log = structlog.get_logger()

_Key = tuple[Role, ModelChoice]
_OF_EXTRA_GPU = ("torch", "diffusers", "transformers", "accelerate", "peft")


class CannotLoad(Exception):
    """The model could not be loaded here; `may_pass`: another time it might."""

    def __init__(self, reason: str, *, may_pass: bool = True) -> None:
        super().__init__(reason)
        self.may_pass = may_pass


def _untold(_what: str) -> None:
    """Nobody watches."""


class Resident:
    """The model on the device; asking for another one parks or closes it first, so two never share the device.

    `show` is told what is done, `wait` what is waited for; `tally` counts loads and swaps.
    """

    def __init__(
        self,
        host: Host,
        *,
        show: Callable[[str], None] = _untold,
        wait: Callable[[str], None] = _untold,
        tally: Tally = NOT_COUNTED,
    ) -> None:
        self._host = host
        self._show = show
        self._wait = wait
        self._tally = tally
        self._resident: tuple[_Key, Model] | None = None
        self._parked: list[tuple[_Key, Model]] = []
        self._beside: dict[str, Model] = {}
        self._refused: dict[str, str] = {}  # why what can never be loaded cannot: once is enough to find out
        self._asked: Model | None = None
        self._machine: Mapping[str, object] = {}
        self._took: float | None = None

    def editor(self, choice: ModelChoice) -> Editor:
        """Return the editor, loading it if it is not the resident model. Raises CannotLoad."""
        return cast(Editor, self._model((Role.EDITOR, choice)))

    def scorer(self, choice: ModelChoice) -> Scorer:
        """Return the scorer, likewise."""
        return cast(Scorer, self._model((Role.SCORER, choice)))

    def load(self, role: Role, choice: ModelChoice) -> None:
        """Have the model ready. Raises CannotLoad, DeviceBroken."""
        try:
            self._model((role, choice))
        except CannotLoad as error:
            if (broken := broken_device(error)) is not None:
                raise broken from error
            raise

    @property
    def has_model(self) -> bool:
        """Whether a model is on the GPU."""
        return self._resident is not None

    def facts(self) -> Mapping[str, object]:
        """Return what of machine, software and the model last asked for shapes its results."""
        return {**self._machine, "model": dict(self._asked.facts()) if self._asked is not None else {}}

    def took_to_load(self) -> float | None:
        """Return how many seconds the last change of the resident model took; None when that was told before."""
        took, self._took = self._took, None
        return took

    def close(self) -> None:
        """Give up every model."""
        models = [model for _, model in self._parked] + list(self._beside.values())
        if self._resident is not None:
            models.append(self._resident[1])
        self._resident, self._parked, self._beside, self._asked = None, [], {}, None
        for model in models:
            model.close()

    def _model(self, key: _Key) -> Model:
        if (refusal := self._refused.get(_name(key))) is not None:
            raise CannotLoad(refusal, may_pass=False)
        try:
            fills_gpu = find_spec(key[0], key[1].name).fills_gpu
            self._asked = self._on_the_gpu(key) if fills_gpu else self._off_the_gpu(key)
        except CannotLoad as error:
            if not error.may_pass:
                self._refused[_name(key)] = str(error)
            raise
        return self._asked

    def _on_the_gpu(self, key: _Key) -> Model:
        if self._resident is None or self._resident[0] != key:
            started = time.perf_counter()
            left = self._leave()
            self._resident = (key, self._woken(key) or self._loaded(key))
            self._took = time.perf_counter() - started
            if left is not None:
                _log("model.swapped", key, started, instead_of=left)
                self._tally.model_swapped()
        return self._resident[1]

    def _off_the_gpu(self, key: _Key) -> Model:
        name = _name(key)
        if name not in self._beside:
            self._beside[name] = self._loaded(key)
        return self._beside[name]

    def _leave(self) -> str | None:
        """Free the device; return the label of the model that was on it."""
        if self._resident is None:
            return None
        (key, model), self._resident = self._resident, None
        started = time.perf_counter()
        if self._parks(key, model):
            self._parked.append((key, model))
            _log("model.parked", key, started)
        else:
            model.close()
            _log("model.closed", key, started)
        return key[1].label

    def _parks(self, key: _Key, model: Model) -> bool:
        try:
            return model.park(self._host.reserved)
        except Exception as error:  # noqa: BLE001 - memory that cannot be pinned, a device that is gone: it is closed
            log.warning("model.not_parked", model=key[1].label, reason=first_line(error))
            return False

    def _woken(self, key: _Key) -> Model | None:
        """Return the model from host memory; None where it is not there."""
        parked = [entry for entry in self._parked if entry[0] == key]
        if not parked:
            return None
        self._parked.remove(parked[0])
        model = parked[0][1]
        started = time.perf_counter()
        try:
            with _as_cannot_load(key):
                model.wake()
        except CannotLoad:
            model.close()
            raise
        _log("model.woken", key, started)
        return model

    def _loaded(self, key: _Key) -> Model:
        role, choice = key
        started = time.perf_counter()
        with _as_cannot_load(key):
            module, _, name = find_spec(role, choice.name).backend.partition(":")  # from the catalogue alone
            backend: type[Model] = getattr(importlib.import_module(module), name)
            options = load_options(role, choice)
            self._show("fetching")
            backend.fetch(options)
            needed = backend.host_bytes(options)
            self._make_room(needed)
            with self._host.loading(needed, self._wait):
                self._show("loading")
                model = cast(Callable[[Any], Model], backend)(options)
        self._machine = machine_facts()  # its libraries are there now
        _log("model.loaded", key, started)
        self._tally.model_loaded(choice.label, time.perf_counter() - started)
        return model

    def _make_room(self, needed_bytes: int) -> None:
        """Give up parked models, the longest parked first, as far as loading needs their memory."""
        while self._parked and not self._host.has_room(needed_bytes):
            key, model = self._parked.pop(0)
            started = time.perf_counter()
            model.close()
            _log("model.closed", key, started)


def _name(key: _Key) -> str:
    """Return the key as a text: a choice holds a mapping, which cannot be one."""
    role, choice = key
    return f"{role} {json.dumps(choice.as_json())}"


@contextmanager
def _as_cannot_load(key: _Key) -> Iterator[None]:
    role, choice = key
    try:
        yield
    except (ModelFault, ImportError) as fault:
        of_gpu = isinstance(fault, ModuleNotFoundError) and fault.name in _OF_EXTRA_GPU
        reason = f"{fault}{': pip install ' + repr('editfarm[gpu]') if of_gpu else ''}"
        raise CannotLoad(f"{role.value} {choice.label!r} cannot be loaded: {reason}", may_pass=False) from fault
    except HostTooSmall as error:
        raise CannotLoad(
            f"{role.value} {choice.label!r} cannot be loaded: {error}", may_pass=not error.for_good
        ) from error
    except Exception as error:  # whatever a backend's loading may raise is a reason, not a crash
        log.error("model.cannot_load", role=role.value, model=choice.label, exc_info=error)
        raise CannotLoad(
            f"{role.value} {choice.label!r} could not be loaded: {type(error).__name__}: {error}"
        ) from error


def _log(event: str, key: _Key, started: float, **more: str) -> None:
    role, choice = key
    seconds = round(time.perf_counter() - started, 3)
    log.info(event, role=role.value, model=choice.label, **more, seconds=seconds)
