"""A folder of weights as a pipeline of diffusers: the class that it names, its dtype, the pipeline on its device."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import diffusers
import structlog
import torch
from diffusers import DiffusionPipeline

from db.options import DiffusersEditorOptions, Lora
from workers.models.errors import ModelFault
from workers.models.loading.devices import placement, refuse_offloading
from workers.models.loading.processors import is_processor, load_processor
from workers.models.loading.weights import EVERYTHING, PIPELINE, stored_dtype, weight_bytes, weights_folder

log = structlog.get_logger()


class Checkpoint:
    """The weights that the options name, fetched; nothing large is read before `load`."""

    def __init__(self, options: DiffusersEditorOptions) -> None:
        self._options = options
        self.folder = weights_folder(options.model, options.revision, PIPELINE)
        self._index = _read_index(self.folder)
        self.pipeline_class = _pipeline_class(self._index)

    @cached_property
    def dtype(self) -> torch.dtype:
        """What it is computed in: the stored one unless the options say another."""
        return _dtype(self._options, self.folder)

    def load(self, adapters: Sequence[Path]) -> Any:
        """Return the pipeline on its device, with its scheduler and the options' LoRAs, whose folders these are."""
        where = placement(weight_bytes(self.folder))
        pipeline = DiffusionPipeline.from_pretrained(
            self.folder,
            dtype=self.dtype,
            **({} if where == "cpu" else {"device_map": where}),
            **self._processors(),
        )
        if where == "balanced":
            log.info("model.spread", model=self._options.model, device_map=str(pipeline.hf_device_map))
            refuse_offloading(pipeline.hf_device_map)
        if self._options.scheduler:
            scheduler = pipeline.scheduler
            pipeline.scheduler = type(scheduler).from_config(scheduler.config, **self._options.scheduler)
        _switch_on(pipeline, self._options.loras, adapters)
        return pipeline

    def _processors(self) -> dict[str, Any]:
        """Return the pipeline's vision-language processors, which diffusers could load with torchvision only."""
        return {
            name: load_processor(self.folder / name)
            for name, entry in self._index.items()
            if isinstance(entry, list) and entry[0] == "transformers" and is_processor(entry[1])
        }


def lora_folder(lora: Lora) -> Path:
    """Return where the LoRA's weights are, fetched if they come from the hub."""
    files = EVERYTHING if lora.weight_name is None else (lora.weight_name,)
    return weights_folder(lora.model, lora.revision, files)


def _read_index(folder: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((folder / "model_index.json").read_text())
    except FileNotFoundError as error:
        raise ModelFault(f"{folder} holds no model_index.json: it is no pipeline of diffusers") from error
    return index


def _pipeline_class(index: Mapping[str, Any]) -> type[Any]:
    name = index.get("_class_name")
    found = getattr(diffusers, str(name), None)
    if found is None:
        raise ModelFault(f"diffusers {diffusers.__version__} has no pipeline {name!r}")
    pipeline_class: type[Any] = found
    return pipeline_class


def _dtype(options: DiffusersEditorOptions, folder: Path) -> torch.dtype:
    name = options.dtype
    if name == "auto":
        denoiser = folder / "transformer"
        name = stored_dtype(denoiser if denoiser.is_dir() else folder / "unet")  # type: ignore[assignment]
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _switch_on(pipeline: Any, loras: Sequence[Lora], folders: Sequence[Path]) -> None:
    """Switch the LoRAs on beside the weights, never fused into them: unfusing leaves rounding behind."""
    names = [f"lora_{number}" for number in range(len(loras))]
    for name, folder, lora in zip(names, folders, loras, strict=True):
        pipeline.load_lora_weights(folder, weight_name=lora.weight_name, adapter_name=name)
    if names:
        pipeline.set_adapters(names, [lora.scale for lora in loras])
