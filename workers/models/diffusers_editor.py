"""Edits with any image-editing pipeline of the diffusers library, chosen by the `model_index.json` of its weights.

No class per model: how pipelines differ stands in `pipelines`, how they are made fast in `speed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image

from db.options import DiffusersEditorOptions
from workers.models.diffusion.checkpoint import Checkpoint, lora_folder
from workers.models.diffusion.memory_ladder import climb
from workers.models.diffusion.pipelines import CallArguments
from workers.models.diffusion.speed import apply_speed_options, networks_of, reset_caches
from workers.models.diffusion.steps import Steps
from workers.models.diffusion.token_types import pass_token_types
from workers.models.errors import Refused
from workers.models.loading.devices import give_back_memory, host_bytes_to_load
from workers.models.loading.parking import HostCopy
from workers.models.loading.patch_embedding import linearize_patch_embedding
from workers.models.loading.quiet import quiet_libraries
from workers.models.loading.weights import PIPELINE, folder_at_hand, weights_folder, weights_identity
from workers.models.pixels import within_area
from workers.models.protocols import EditedImage, Editor, EditRequest, Reserve

_WARM_UPS = (("warm up", (1024, 1024)), ("warm up at greater length " * 8, (1216, 832)))


class DiffusersEditor(Editor):
    """One pipeline, one edit at a time: pipelines keep state in their scheduler and are not thread-safe.

    The same request gives the same pixels on the same device and software: noise comes from a generator on the CPU,
    because those of CUDA differ between cards, and nothing is left over from the edit before.
    """

    def __init__(self, options: DiffusersEditorOptions) -> None:
        quiet_libraries()
        self._options = options
        checkpoint = Checkpoint(options)
        self._arguments = CallArguments(checkpoint.pipeline_class, options)  # refuses an option before 60 GB are moved
        adapters = [lora_folder(lora) for lora in options.loras]
        self._facts: dict[str, object] = {
            "weights": weights_identity(checkpoint.folder),
            "loras": [weights_identity(folder) for folder in adapters],
            "dtype": str(checkpoint.dtype).removeprefix("torch."),
        }
        give_back_memory()  # of a model that could not be loaded, too
        self._pipeline = checkpoint.load(adapters)
        self._host_copy = HostCopy(networks_of(self._pipeline))
        self._steps = Steps()
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
            lora_folder(lora)

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
            **self._facts,
            "pipeline": type(self._pipeline).__name__,
            "arguments": self._arguments.effective(),
            "scheduler": type(self._pipeline.scheduler).__name__,
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

    def _prepare(self) -> None:
        """Make the loaded pipeline ready for its first edit."""
        text_encoder = getattr(self._pipeline, "text_encoder", None)
        self._facts["token_types_passed"] = pass_token_types(text_encoder)
        if isinstance(text_encoder, torch.nn.Module):
            linearize_patch_embedding(text_encoder)
        self._pipeline.progress_bar = self._steps.counter
        apply_speed_options(self._pipeline, self._options)
        if self._options.compile:
            self._warm_up()

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


def _nothing() -> None:
    """There is nothing to clear."""


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
