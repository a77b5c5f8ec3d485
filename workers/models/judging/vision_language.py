"""A vision-language model of the transformers library with its processor: questions in, tokens or probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
import torch
from torch import Tensor
from transformers import AutoModelForImageTextToText, LogitsProcessorList

from db.errors import first_line
from db.options import TransformersJudgeOptions
from workers.models.errors import ModelFault, OutOfMemory
from workers.models.judging.hearing import Reply
from workers.models.judging.question import Question
from workers.models.loading.devices import is_out_of_memory, placement, refuse_offloading
from workers.models.loading.patch_embedding import linearize_patch_embedding
from workers.models.loading.processors import load_processor
from workers.models.loading.weights import weight_bytes

log = structlog.get_logger()


class VisionLanguageModel:
    """The network and its processor on the device. Questions of one call are one batch, padded on the left."""

    def __init__(self, folder: Path, options: TransformersJudgeOptions) -> None:
        self.processor = load_processor(folder)
        self.network = _load_network(folder, options)
        self.linearized = linearize_patch_embedding(self.network)

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return self.processor.tokenizer

    def reply(
        self, questions: Sequence[Question], *, max_new_tokens: int, processors: Sequence[Any] = ()
    ) -> list[Reply]:
        """Return a reply for each question, decoded greedily after the logits processors. Raises OutOfMemory."""
        with _out_of_memory(len(questions)), torch.inference_mode():
            inputs = self._inputs(questions)
            length = inputs["input_ids"].shape[1]
            tokens = self.network.generate(
                **inputs,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                repetition_penalty=1.0,  # some repositories ask for more: a digit would suffer for being in the prompt
                logits_processor=LogitsProcessorList(processors),
            )[:, length:].cpu()
        return [self._read(row) for row in tokens]

    def next_token_probabilities(self, questions: Sequence[Question], reply_prefix: str) -> Tensor:
        """Return (batch, vocabulary) float32: how likely each token is next when the reply begins with the prefix.

        One forward pass, no token is generated. Raises OutOfMemory.
        """
        with _out_of_memory(len(questions)), torch.inference_mode():
            inputs = self._inputs(questions, reply_prefix)
            logits = self.network(**inputs, logits_to_keep=1).logits[:, -1]
            return torch.softmax(logits.float(), dim=-1).cpu()

    def _inputs(self, questions: Sequence[Question], reply_prefix: str = "") -> Mapping[str, Any]:
        """Return the batch on the device; what looks like a control token in a prompt stays plain text."""
        inputs = self.processor.apply_chat_template(
            [conversation(question) for question in questions],
            tokenize=True,
            add_generation_prompt=True,
            return_dict=True,
            sanitize_control_tokens=True,
            processor_kwargs={"return_tensors": "pt", "padding": True},
        )
        if reply_prefix:
            _append(inputs, self.tokenizer.encode(reply_prefix, add_special_tokens=False))
        moved: Mapping[str, Any] = inputs.to(self.network.device)
        return moved

    def _read(self, tokens: Tensor) -> Reply:
        ends = {self.tokenizer.eos_token_id, *_as_list(self.network.generation_config.eos_token_id)}
        cut_off = not any(token in ends for token in tokens.tolist())
        return Reply(self.tokenizer.decode(tokens, skip_special_tokens=True), cut_off)


def _load_network(folder: Path, options: TransformersJudgeOptions) -> Any:
    where = placement(weight_bytes(folder))
    network, loading = AutoModelForImageTextToText.from_pretrained(
        folder,
        dtype=options.dtype,
        attn_implementation=options.attention,
        output_loading_info=True,
        trust_remote_code=False,  # said: else it asks whoever sits at the terminal
        **({} if where == "cpu" else {"device_map": where}),
        **({} if options.experts is None else {"experts_implementation": options.experts}),
    )
    missing = sorted(loading["missing_keys"]) + sorted(str(key) for key in loading["mismatched_keys"])
    if missing:
        raise ModelFault(
            f"{len(missing)} weights of {type(network).__name__} are not in {folder}, {missing[0]} first: "
            "they would be random"
        )
    if where == "balanced":
        device_map = getattr(network, "hf_device_map", None)  # there is none where one GPU was enough
        log.info("model.spread", model=options.model, device_map=str(device_map))
        refuse_offloading(device_map)
    return network.eval()


def conversation(question: Question) -> list[dict[str, Any]]:
    """Return the question in the form that chat templates take."""
    content = [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "image", "image": part}
        for part in question.content
    ]
    asked: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if not question.system:
        return asked
    return [{"role": "system", "content": [{"type": "text", "text": question.system}]}, *asked]


def _append(inputs: Any, tokens: Sequence[int]) -> None:
    """Append the same tokens to every row, as text that is attended to."""
    rows = inputs["input_ids"].shape[0]
    added = {"input_ids": torch.tensor([tokens] * rows), "attention_mask": torch.ones(rows, len(tokens))}
    for name in ("input_ids", "attention_mask", "mm_token_type_ids", "token_type_ids"):
        if name in inputs:
            more = added.get(name, torch.zeros(rows, len(tokens)))
            inputs[name] = torch.cat([inputs[name], more.to(inputs[name].dtype)], dim=1)


@contextmanager
def _out_of_memory(count: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(f"{count} at a time: {first_line(error)}") from None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
