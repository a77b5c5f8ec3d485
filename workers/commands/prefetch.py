"""`python -m workers prefetch`: the weights of some models brought to this machine before its workers need them.

It fetches as a worker that loads the model would, by the model's own `fetch`, and so into the same cache.
"""

from __future__ import annotations

import errno
import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import huggingface_hub
from huggingface_hub import constants, errors
from pydantic import ValidationError

from db.catalogue import ModelSpec, Role, find_spec, known_names, weights_entry
from db.command import say
from db.errors import FarmError, ServiceUnreachable, WrongCall
from workers.models.errors import ModelFault
from workers.models.protocols import Model

PIPELINE_MARK = "model_index.json"
"""The file that tells a pipeline, which edits, from a network, which judges."""


@dataclass(frozen=True)
class _Weights:
    """What is to be fetched for a model as a run may name it."""

    title: str
    backend: type[Model]
    options: Any


def prefetch(*models: str) -> None:
    """Bring here what loading these models needs, in turn: catalogue names, hub ids, or folders that are only checked.

    Raises WrongCall for what is no model, before anything is fetched; ServiceUnreachable where the Hub does not answer,
    FarmError where it does not give the weights or the disk has no room for them.
    """
    wanted: list[tuple[str, _Weights]] = []
    for model in models:
        with _told(model):
            wanted += [(model, weights) for weights in _wanted(model)]
    for model, weights in wanted:
        with _told(model):
            say(f"{weights.title}: looking for its weights")
            weights.backend.fetch(weights.options)
            say(f"{weights.title}: {_where(weights.options)}")


def _wanted(model: str) -> Iterator[_Weights]:
    for role, spec, given in _meant(model):
        try:
            options = spec.options.model_validate({**spec.preset, **given})
        except ValidationError as error:
            raise WrongCall(f"{model!r} names no weights; give a preset, a folder, or a hub id") from error
        module, _, name = spec.backend.partition(":")
        yield _Weights(f"{role.value} {model}", getattr(importlib.import_module(module), name), options)


def _meant(model: str) -> list[tuple[Role, ModelSpec, Mapping[str, str]]]:
    """Return the editor, the scorer, or both, that go by this name, with the options that it stands for."""
    named = [role for role in Role if model in known_names(role)]
    if named:
        return [(role, find_spec(role, model), {}) for role in named]
    role = _role_of(model)
    entry = weights_entry(role, model)
    if entry is None:
        raise WrongCall(
            f"no model is called {model!r}; `python -m producer models` lists them, and a folder of weights or a "
            "hub id as OWNER/NAME will do as well"
        )
    name, given = entry
    return [(role, find_spec(role, name), given)]


def _role_of(model: str) -> Role:
    folder = Path(model).expanduser()
    if folder.is_dir():
        return Role.EDITOR if (folder / PIPELINE_MARK).is_file() else Role.SCORER
    if weights_entry(Role.EDITOR, model) is None:
        return Role.EDITOR
    if huggingface_hub.try_to_load_from_cache(model, PIPELINE_MARK) is not None:
        return Role.EDITOR
    return Role.EDITOR if huggingface_hub.HfApi().file_exists(model, PIPELINE_MARK) else Role.SCORER


def _where(options: Any) -> str:
    weights = getattr(options, "model", None) if hasattr(options, "revision") else None
    if weights is None:
        return "has no weights to fetch"
    return f"{weights} is a folder of this machine" if Path(weights).is_dir() else f"{weights} is in the cache"


@contextmanager
def _told(model: str) -> Iterator[None]:
    """Raise what fetching may raise as one line; the library's own words may name signed addresses and are left out."""
    try:
        yield
    except ModelFault as error:
        raise WrongCall(f"{model}: {error}") from error
    except errors.GatedRepoError as error:
        raise WrongCall(f"{model} is gated: ask for access on its page of the Hub, then set HF_TOKEN") from error
    except errors.RepositoryNotFoundError as error:
        raise WrongCall(f"{model}: the Hub has no such model, or it is private: then set HF_TOKEN") from error
    except ImportError as error:
        raise WrongCall(f"{error.name} is not installed: pip install 'editfarm[gpu]'") from error
    except (OSError, errors.HTTPError, errors.XetDownloadError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise FarmError(f"{model}: {error.strerror}; HF_HOME says where weights are kept") from error
        if isinstance(error, OSError) and error.filename is not None and error.strerror:
            raise FarmError(f"{error.filename}: {error.strerror}") from error
        host = urlsplit(constants.ENDPOINT).hostname or "the Hub"
        raise ServiceUnreachable(
            f"{model} cannot be fetched from {host}: {_reason(error)}; HF_ENDPOINT names another Hub, and "
            f"HF_HUB_OFFLINE=1 takes only what is in {constants.HF_HUB_CACHE}"
        ) from error


def _reason(error: BaseException) -> str:
    """Return why, as the system said it at the bottom of a chain of errors; else the last one's type."""
    chain = [error]
    while (below := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(below)
    for one in chain:
        if isinstance(one, errors.HfHubHTTPError):
            return f"it answers with status {one.response.status_code}"
    said = (one.strerror for one in chain if isinstance(one, OSError) and one.strerror)
    return next(said, type(chain[-1]).__name__)
