"""Edits with any image-editing pipeline of the diffusers library, chosen by the `model_index.json` of its weights.

No class per model: how pipelines differ stands in `pipelines`, how they are made fast in `speed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import structlog
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from db.options import DiffusersEditorOptions, Lora
from workers.models.diffusion.memory_ladder import climb
from workers.models.diffusion.pipelines import CallArguments
from workers.models.diffusion.speed import apply_speed_options, networks_of, reset_caches
from workers.models.diffusion.token_types import pass_token_types
from workers.models.errors import ModelFault, Refused
from workers.models.loading.devices import give_back_memory, host_bytes_to_load, placement, refuse_offloading
from workers.models.loading.parking import HostCopy
from workers.models.loading.patch_embedding import linearize_patch_embedding
from workers.models.loading.processors import is_processor, load_processor
from workers.models.loading.quiet import quiet_libraries
from workers.models.loading.weights import (
    EVERYTHING,
    PIPELINE,
    folder_at_hand,
    stored_dtype,
    weight_bytes,
    weights_folder,
    weights_identity,
)
from workers.models.pixels import within_area
from workers.models.protocols import EditedImage, Editor, EditRequest, OnStep, Reserve, unobserved

log = structlog.get_logger()

_WARM_UPS = (("warm up", (1024, 1024)), ("warm up at greater length " * 8, (1216, 832)))


class DiffusersEditor(Editor):
    """One pipeline, one edit at a time: pipelines keep state in their scheduler and are not thread-safe.

    The same request gives the same pixels on the same device and software: noise comes from a generator on the CPU,
    because those of CUDA differ between cards, and nothing is left over from the edit before.
    """

    def __init__(self, options: DiffusersEditorOptions) -> None:
        quiet_libraries()
        self._options = options
        self._folder = weights_folder(options.model, options.revision, PIPELINE)
        self._index = _read_index(self._folder)
        pipeline_class = _pipeline_class(self._index)
        self._arguments = CallArguments(pipeline_class, options)  # refuses an option before 60 GB are moved
        self._dtype = _dtype(options, self._folder)
        self._identity = weights_identity(self._folder)
        give_back_memory()  # of a model that could not be loaded, too
        self._pipeline = self._load()
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @classmethod
    def fetch(cls, options: DiffusersEditorOptions) -> None:
        """Fetch pipeline and LoRA weights that come from the hub."""
        weights_folder(options.model, options.revision, PIPELINE)
        for lora in options.loras:
            _lora_folder(lora)

    @classmethod
    def host_bytes(cls, options: DiffusersEditorOptions) -> int:
        """Return the size of the weights, on a machine with a GPU of their largest file: they pass through."""
        return host_bytes_to_load(folder_at_hand(options.model, options.revision, PIPELINE))

    def edit(self, request: EditRequest) -> EditedImage:
        """Return the edited image, as the pipeline made it. Raises OutOfMemory, InputFault, or Refused.

        The detail says which rungs of the memory ladder it took, if any.
        """
        sources = [within_area(one, self._options.max_source_pixels) for one in (request.source, *request.more_sources)]
        instruction = _without_control_tokens(request.instruction, self._pipeline)
        arguments = self._arguments.for_edit(instruction, sources, self._size_multiple())
        self._steps.on_step = request.on_step
        image, rungs = climb(lambda: self._call(arguments, request.seed), self._pipeline)
        return EditedImage(image, {"out_of_memory": rungs} if rungs else {})

    def facts(self) -> Mapping[str, object]:
        """Return the pipeline and its weights, and every argument of a call as it is used."""
        device_map = getattr(self._pipeline, "hf_device_map", None)
        return {
            "pipeline": type(self._pipeline).__name__,
            "weights": self._identity,
            "loras": self._lora_identities,
            "dtype": str(self._dtype).removeprefix("torch."),
            "arguments": self._arguments.effective(),
            "scheduler": type(self._pipeline.scheduler).__name__,
            "token_types_passed": self._token_types,
            # of one GPU it is just that GPU's name
            **({"device_map": {k: str(v) for k, v in device_map.items()}} if isinstance(device_map, dict) else {}),
        }

    def park(self, reserve: Reserve) -> bool:
        """Leave the GPU, the weights staying in pinned host memory."""
        return self._host_copy.leave(reserve)

    def wake(self) -> None:
        """Come back to the GPU."""
        self._host_copy.come_back()

    def close(self) -> None:
        """Give back all memory."""
        self._pipeline = None
        self._host_copy = HostCopy([])
        give_back_memory()

    def _load(self) -> Any:
        where = placement(weight_bytes(self._folder))
        pipeline = DiffusionPipeline.from_pretrained(
            self._folder,
            dtype=self._dtype,
            **({} if where == "cpu" else {"device_map": where}),
            **self._processors(),
        )
        if where == "balanced":
            log.info("model.spread", model=self._options.model, device_map=str(pipeline.hf_device_map))
            refuse_offloading(pipeline.hf_device_map)
        if self._options.scheduler:
            scheduler = pipeline.scheduler
            pipeline.scheduler = type(scheduler).from_config(scheduler.config, **self._options.scheduler)
        self._load_loras(pipeline)
        return pipeline

    def _prepare(self) -> None:
        """Make the loaded pipeline ready for its first edit."""
        text_encoder = getattr(self._pipeline, "text_encoder", None)
        self._token_types = pass_token_types(text_encoder)
        if isinstance(text_encoder, torch.nn.Module):
            linearize_patch_embedding(text_encoder)
        self._steps = _Steps()
        self._pipeline.progress_bar = self._steps.counter  # the one way to see steps that every pipeline has
        apply_speed_options(self._pipeline, self._options)
        self._host_copy = HostCopy(networks_of(self._pipeline))
        if self._options.compile:
            self._warm_up()

    def _load_loras(self, pipeline: Any) -> None:
        names = [f"lora_{number}" for number in range(len(self._options.loras))]
        folders = [_lora_folder(lora) for lora in self._options.loras]
        self._lora_identities = [weights_identity(folder) for folder in folders]
        for name, folder, lora in zip(names, folders, self._options.loras, strict=True):
            pipeline.load_lora_weights(folder, weight_name=lora.weight_name, adapter_name=name)
        if names:  # switched on beside the weights, never fused into them: unfusing leaves rounding behind
            pipeline.set_adapters(names, [lora.scale for lora in self._options.loras])

    def _processors(self) -> dict[str, Any]:
        """Return the pipeline's vision-language processors, which diffusers could load with torchvision only."""
        return {
            name: load_processor(self._folder / name)
            for name, entry in self._index.items()
            if isinstance(entry, list) and entry[0] == "transformers" and is_processor(entry[1])
        }

    def _call(self, arguments: Mapping[str, Any], seed: int) -> Image.Image:
        generator = torch.Generator("cpu").manual_seed(seed)
        try:
            output = self._pipeline(**arguments, generator=generator, output_type="pil")
        except BaseException:
            reset_caches(self._pipeline, self._options)
            getattr(getattr(self._pipeline, "vae", None), "clear_cache", _nothing)()  # features of a broken decoding
            raise
        if any(getattr(output, "nsfw_content_detected", None) or ()):
            raise Refused("the pipeline's safety checker withheld the image")
        image: Image.Image = output.images[0]
        return image

    def _size_multiple(self) -> int:
        """Return what widths and heights must be multiples of: a latent is packed in patches of two."""
        return 2 * int(getattr(self._pipeline, "vae_scale_factor", 8))

    def _warm_up(self) -> None:
        """Compile before the first job, for two lengths of prompt and image: the second makes lengths dynamic."""
        for prompt, size in _WARM_UPS:
            arguments = self._arguments.for_edit(prompt, [Image.new("RGB", size, "grey")], self._size_multiple())
            self._call({**arguments, "num_inference_steps": 2}, seed=0)


class _Steps:
    """Makes what pipelines take for their progress bar; knows no pipeline, which would keep it alive."""

    def __init__(self) -> None:
        self.on_step: OnStep = unobserved

    def counter(self, iterable: Iterable[Any] | None = None, total: int | None = None) -> _StepCounter:
        items = list(iterable or ())
        return _StepCounter(self.on_step, items, total or len(items))


class _StepCounter:
    """Each update, or each item that was done, is a finished step."""

    def __init__(self, on_step: OnStep, items: Sequence[Any], total: int) -> None:
        self._on_step, self._items, self._total, self._done = on_step, items, total, 0

    def __enter__(self) -> _StepCounter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update()

    def update(self, count: int = 1) -> None:
        self._done += count
        self._on_step(self._done, self._total)


def _nothing() -> None:
    """There is nothing to clear."""


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


def _lora_folder(lora: Lora) -> Path:
    files = EVERYTHING if lora.weight_name is None else (lora.weight_name,)
    return weights_folder(lora.model, lora.revision, files)


def _without_control_tokens(instruction: str, pipeline: Any) -> str:
    """Return the instruction with a space within every control token of the pipeline's tokenizers.

    An instruction is text; `<|im_end|>` in it must not end the prompt, nor an image placeholder stand for an image.
    """
    for part in pipeline.components.values():
        tokenizer = getattr(part, "tokenizer", part)  # of a processor, its own
        for token in sorted(getattr(tokenizer, "get_added_vocab", dict)(), key=len, reverse=True):
            if len(token) > 1 and token in instruction:
                instruction = instruction.replace(token, f"{token[0]} {token[1:]}")
    return instruction
