"""Tiny judges of the Qwen3-VL family, dense or mixture of experts; one that babbles, and one that always answers.

The answering one shows the way of a reply through the real code: valid JSON whose digit depends on images and prompt.
Only two matrices differ from random. The reply is a chain of tokens: the embedding of each carries a direction of its
own, and the output matrix turns that direction into the next token. Where the digit is due, the ten digits' rows read
one number z of the hidden state, its first principal component over made-up questions: logit_d = z a_d - a_d^2 / 2,
which is largest for the digit whose a_d is nearest to z.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import (
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLMoeForConditionalGeneration,
)

from db.categories import ENGLISH_ALIASES
from db.judge_prompts import built_in_prompts
from db.prompts import JudgePrompt, PromptSubject, prompt_of, render_prompt
from workers.models.judging.question import Question
from workers.models.judging.vision_language import conversation
from workers.models.loading.processors import load_processor
from workers.tiny.processor import write_processor
from workers.tiny.tokenizer import as_token, make_tokenizer, special_ids

_BEFORE_THE_DIGIT = '{"reasoning": "tiny random judge", "score": '
_AFTER_THE_DIGIT = "}"
_STRENGTH = 20.0
_HIDDEN = 64
_QUESTIONS = 48

_EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "decoder_sparse_step": 1}
_VISION = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "patch_size": 16,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
    "out_hidden_size": _HIDDEN,
    "num_position_embeddings": 64,
    "deepstack_visual_indexes": [0],
    "initializer_range": 0.15,
}


def make_judge(folder: Path, *, answering: bool = True, experts: bool = False, seed: int = 0) -> None:
    """Write a judge with its processor; not `answering`, its replies are noise."""
    prompts = [*built_in_prompts("generate").values(), *built_in_prompts("expected").values()]
    tokenizer = make_tokenizer(_texts(prompts), pieces=(_BEFORE_THE_DIGIT, _AFTER_THE_DIGIT))
    torch.manual_seed(seed)
    network = vision_language_network(tokenizer, experts=experts)
    write_processor(folder, tokenizer, "Qwen3VLProcessor", patch_size=16, most_tokens=64)
    if answering:
        with torch.no_grad():
            chain = _Chain(network, tokenizer)
            chain.read_digit_from(_hidden_states(network, load_processor(folder), chain.slot))
    network.save_pretrained(folder)


def _texts(prompts: list[JudgePrompt]) -> list[str]:
    return [text for prompt in prompts for text in (prompt.system, prompt.user)]


def vision_language_network(tokenizer: Any, *, experts: bool = False) -> Any:
    """Return a Qwen3-VL with random weights, hidden size 64."""
    configuration_class = Qwen3VLMoeConfig if experts else Qwen3VLConfig
    network_class = Qwen3VLMoeForConditionalGeneration if experts else Qwen3VLForConditionalGeneration
    configuration = configuration_class(
        text_config=_text_configuration(tokenizer) | (_EXPERTS if experts else {}),
        vision_config=_VISION,
        tie_word_embeddings=False,
        **special_ids(tokenizer),
    )
    network = network_class(configuration).eval()
    network.generation_config.eos_token_id = tokenizer.eos_token_id
    network.generation_config.pad_token_id = tokenizer.pad_token_id
    return network


def _text_configuration(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": _HIDDEN,
        "intermediate_size": 2 * _HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 32768,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 5e6,
            "mrope_section": [4, 2, 2],
            "mrope_interleaved": True,
        },
        "initializer_range": 0.15,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


class _Chain:
    """The chain of a reply within a network's embeddings and output matrix: both (tokens, hidden)."""

    def __init__(self, network: Any, tokenizer: Any) -> None:
        def token(text: str) -> int:
            return int(tokenizer.convert_tokens_to_ids(as_token(text)))

        self._embeddings = network.get_input_embeddings().weight.data
        self._outputs = network.get_output_embeddings().weight.data
        self._outputs.mul_(0.01)
        self._digits = [token(digit) for digit in "0123456789"]
        self.slot = token(_BEFORE_THE_DIGIT)
        directions = _orthonormal_directions()
        self._link([token("\n")], [self.slot], next(directions))
        self._slot_direction = next(directions)
        self._link([self.slot, token(" ")], [], self._slot_direction)  # a reply may also be begun for it: {"score":_
        self._link(self._digits, [token(_AFTER_THE_DIGIT)], next(directions))
        self._link([token(_AFTER_THE_DIGIT)], [tokenizer.eos_token_id], next(directions))

    def read_digit_from(self, hidden: Tensor) -> None:
        """Set the digits' rows of the output matrix from hidden states (questions, hidden) at the digit's place."""
        along = hidden @ self._slot_direction
        across = hidden - along[:, None] * self._slot_direction
        mean = across.mean(0)
        component = torch.linalg.svd(across - mean, full_matrices=False).Vh[0]
        component = component / ((across - mean) @ component).std()
        centre, base = mean @ component, 3 * _STRENGTH  # by `base` the digits win the place over all other tokens
        for number, digit in enumerate(self._digits):
            a = -2 + 4 * number / 9
            constant = (base - a * centre - a * a / 2) / along.mean()
            self._outputs[digit] = a * component + constant * self._slot_direction

    def _link(self, tokens: list[int], following: list[int], direction: Tensor) -> None:
        for token in tokens:
            self._embeddings[token] = self._embeddings[token] * 0.1 + direction * _STRENGTH
        for token in following:
            self._outputs[token] += direction * _STRENGTH


def _orthonormal_directions() -> Iterator[Tensor]:
    random = torch.randn(_HIDDEN, _HIDDEN, generator=torch.Generator().manual_seed(1))
    return iter(torch.linalg.qr(random)[0].T)


def _hidden_states(network: Any, processor: Any, slot: int) -> Tensor:
    """Return the last hidden states (questions, hidden) where the digit is due, over made-up questions."""
    inputs = processor.apply_chat_template(
        [conversation(question) for question in _made_up_questions()],
        tokenize=True,
        add_generation_prompt=True,
        return_dict=True,
        processor_kwargs={"return_tensors": "pt", "padding": True},
    )
    for name, value in (("input_ids", slot), ("attention_mask", 1), ("mm_token_type_ids", 0)):
        column = torch.full((_QUESTIONS, 1), value, dtype=inputs[name].dtype)
        inputs[name] = torch.cat([inputs[name], column], dim=1)
    hidden: Tensor = network.model(**inputs).last_hidden_state[:, -1]
    return hidden.float().clone()


def _made_up_questions() -> Iterator[Question]:
    """Yield questions with a colourful source and an edited image of little contrast, as the tiny editors make them."""
    generator = torch.Generator().manual_seed(0)
    prompts = built_in_prompts("generate")
    for number in range(_QUESTIONS):
        colours = torch.randint(0, 256, (5, 5, 3), generator=generator)
        dull = torch.randint(64, 192, (3,), generator=generator) + torch.randint(
            -10, 11, (5, 5, 3), generator=generator
        )
        images = [
            Image.fromarray(levels.to(torch.uint8).numpy()).resize((256, 256), Image.Resampling.BICUBIC)
            for levels in (colours, dull)
        ]
        category = list(ENGLISH_ALIASES)[number % len(ENGLISH_ALIASES)]
        subject = PromptSubject(str(number), category, "make it rain", None, has_reference=False)
        prompt = render_prompt(prompt_of(prompts, category), subject)
        yield Question(prompt.system, [*images, prompt.user])
