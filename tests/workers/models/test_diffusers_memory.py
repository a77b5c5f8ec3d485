"""The diffusers editor where the GPU's memory does not suffice, and where its weights make room for another model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch

from tests.workers.models.editors import edited, request
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.errors import OutOfMemory

pytestmark = pytest.mark.usefixtures("small_references")


Decoding = Callable[[Any], None]


class Shortage:
    """Makes the VAE run out of memory as CUDA does, so many times or until it decodes in tiles."""

    def __init__(self, vae: Any, *, times: int = 10**6, until_tiling: bool = False) -> None:
        self._vae, self._times, self._until_tiling = vae, times, until_tiling
        self._decode = vae._decode

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self._times > 0 and not (self._until_tiling and self._vae.use_tiling):
            self._times -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore lines")
        return self._decode(*args, **named)


@pytest.fixture
def decoding(plus: DiffusersEditor, monkeypatch: pytest.MonkeyPatch) -> Decoding:
    """Sets what the VAE decodes by, for one test."""
    return lambda decode: monkeypatch.setattr(plus._pipeline.vae, "_decode", decode)


def test_one_shortage_is_mended_by_an_empty_cache_and_noted(plus: DiffusersEditor, decoding: Decoding) -> None:
    before = edited(plus)
    decoding(Shortage(plus._pipeline.vae, times=1))

    result = plus.edit(request())

    assert result.detail == {"out_of_memory": ["emptied cache"]}
    assert result.image.tobytes() == before


def test_a_lasting_shortage_is_mended_by_tiling_for_this_edit_alone(plus: DiffusersEditor, decoding: Decoding) -> None:
    decoding(Shortage(plus._pipeline.vae, until_tiling=True))

    result = plus.edit(request())

    assert result.detail == {"out_of_memory": ["emptied cache", "VAE tiling"]}
    assert not plus._pipeline.vae.use_tiling


def test_what_fits_on_no_rung_says_what_was_tried(plus: DiffusersEditor, decoding: Decoding) -> None:
    decoding(Shortage(plus._pipeline.vae))

    with pytest.raises(OutOfMemory, match=r"20\.00 GiB\. \(tried: emptied cache, VAE tiling\)") as caught:
        plus.edit(request())

    assert caught.value.detail == {"out_of_memory": ["emptied cache", "VAE tiling"]}
    assert not plus._pipeline.vae.use_tiling


def test_an_edit_without_a_shortage_says_nothing_of_memory(plus: DiffusersEditor) -> None:
    assert plus.edit(request()).detail == {}


def test_another_error_climbs_no_ladder(plus: DiffusersEditor, decoding: Decoding) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("not about memory")

    decoding(broken)

    with pytest.raises(ValueError, match="not about memory"):
        plus.edit(request())


def test_features_of_a_broken_decoding_do_not_stay(plus: DiffusersEditor, decoding: Decoding) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        plus._pipeline.vae._feat_map = [torch.zeros(1)]
        raise ValueError("broken off")

    decoding(broken)
    with pytest.raises(ValueError, match="broken off"):
        plus.edit(request())

    assert not any(torch.is_tensor(feature) for feature in plus._pipeline.vae._feat_map)


def test_parked_and_woken_it_edits_as_before(plus: DiffusersEditor) -> None:
    before = edited(plus)

    assert plus.park(lambda _: nullcontext(True))
    plus.wake()

    assert edited(plus) == before
