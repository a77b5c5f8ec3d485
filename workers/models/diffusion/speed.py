"""A run's speed options, put into effect on a pipeline: attention, caches, 8-bit weights, tiling, compilation."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.attention_dispatch import _AttentionBackendRegistry

from db.options import DiffusersEditorOptions
from workers.models.errors import ModelFault

_FIRST_BLOCKS = 8
"""Blocks that cache-dit always computes, and compares to tell whether the others may be reused; its own default."""


def denoiser_of(pipeline: Any) -> Any:
    """Return the network that runs at every step."""
    return getattr(pipeline, "transformer", None) or pipeline.unet


def networks_of(pipeline: Any) -> list[torch.nn.Module]:
    """Return every network of the pipeline."""
    return [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]


def apply_speed_options(pipeline: Any, options: DiffusersEditorOptions) -> None:
    """Put the options into effect. Raises ModelFault for one that this pipeline or this machine cannot have."""
    denoiser = denoiser_of(pipeline)
    if options.fp8:
        _method(denoiser, "enable_layerwise_casting", "fp8")(
            storage_dtype=torch.float8_e4m3fn, compute_dtype=denoiser.dtype
        )
    if options.attention is not None:
        _set_attention(denoiser, options.attention)
    if options.vae_tiling:
        _method(pipeline.vae, "enable_tiling", "vae_tiling")()
    if options.cache is not None:
        _enable_cache(pipeline, options)
    if options.compile:
        if isinstance(getattr(pipeline, "hf_device_map", None), dict):
            raise ModelFault("a model that is spread over several GPUs cannot have the option compile")
        # what these two hang into the blocks cannot be part of a whole graph
        in_parts = options.fp8 or options.cache == "first-block"
        _method(denoiser, "compile_repeated_blocks", "compile")(fullgraph=not in_parts)


def reset_caches(pipeline: Any, options: DiffusersEditorOptions) -> None:
    """Forget what caches kept of the last call: after one that was broken off they would spoil the next."""
    if options.cache == "cache-dit":
        import cache_dit

        cache_dit.disable_cache(pipeline)
        _enable_cache(pipeline, options)
    elif options.cache is not None:
        pipeline.maybe_free_model_hooks()


def _enable_cache(pipeline: Any, options: DiffusersEditorOptions) -> None:
    if options.cache == "first-block":
        from diffusers import FirstBlockCacheConfig

        enable = _method(denoiser_of(pipeline), "enable_cache", "cache")
        enable(FirstBlockCacheConfig(threshold=options.cache_threshold))
        return
    try:
        import cache_dit
    except ImportError as error:
        raise ModelFault("cache-dit is not installed: pip install cache-dit") from error
    _own_class(pipeline)
    blocks = len(getattr(denoiser_of(pipeline), "transformer_blocks", ()))
    configuration = cache_dit.DBCacheConfig(
        Fn_compute_blocks=max(1, min(_FIRST_BLOCKS, blocks - 1)), residual_diff_threshold=options.cache_threshold
    )
    cache_dit.enable_cache(pipeline, cache_config=configuration)


def _own_class(pipeline: Any) -> None:
    """Give the pipeline a class of its own: cache-dit changes the class, and would keep every pipeline of it alive."""
    shared = type(pipeline)
    pipeline.__class__ = type(shared.__name__, (shared,), {"__module__": shared.__module__})


def _set_attention(denoiser: Any, backend: str) -> None:
    """Set the denoiser's backend; diffusers makes it that of the whole process besides, which is undone."""
    before = _AttentionBackendRegistry._active_backend
    try:
        _method(denoiser, "set_attention_backend", "attention")(backend)
    except (ValueError, RuntimeError, ImportError) as error:
        raise ModelFault(f"attention {backend!r} cannot be had here: {error}") from error
    finally:
        _AttentionBackendRegistry._active_backend = before


def _method(network: Any, name: str, option: str) -> Any:
    method = getattr(network, name, None)
    if method is None:
        raise ModelFault(f"{type(network).__name__} cannot have the option {option}")
    return method
