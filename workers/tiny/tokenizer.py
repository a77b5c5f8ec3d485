"""A small byte-level tokenizer of Qwen's class, with Qwen's control tokens and a chat template of its form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tokenizers import Regex, Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.pre_tokenizers import Sequence as InTurn
from transformers import Qwen2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

END_OF_TURN = "<|im_end|>"
PADDING = "<|endoftext|>"
_CONTROL = [
    PADDING,
    "<|im_start|>",
    END_OF_TURN,
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]

_CHAT_TEMPLATE = """{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% for part in message.content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""


def make_tokenizer(texts: Sequence[str] = (), *, size: int = 1024, pieces: Sequence[str] = ()) -> Any:
    """Return a tokenizer with one token per byte, and merges learnt from the texts up to `size` tokens.

    `pieces` become tokens that no text is ever encoded to: only a model can say them.
    """
    vocabulary, merges = _learn(texts, size)
    for piece in pieces:
        vocabulary.setdefault(as_token(piece), len(vocabulary))
    tokenizer = Qwen2Tokenizer(
        vocab=vocabulary,
        merges=merges,
        eos_token=END_OF_TURN,
        pad_token=PADDING,
        additional_special_tokens=_CONTROL,
    )
    tokenizer.chat_template = _CHAT_TEMPLATE
    return tokenizer


def as_token(text: str) -> str:
    """Return the text in the letters in which a byte-level vocabulary writes its tokens."""
    [(token, _)] = ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return str(token)


def special_ids(tokenizer: Any) -> dict[str, int]:
    """Return the ids that a Qwen-VL configuration names."""
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in names.items()}


def _learn(texts: Sequence[str], size: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    alphabet = sorted(ByteLevel.alphabet())
    if not texts:
        return {byte: number for number, byte in enumerate(alphabet)}, []
    learner = Tokenizer(models.BPE())
    words = Split(Regex(PRETOKENIZE_REGEX), behavior="isolated")
    learner.pre_tokenizer = InTurn([words, ByteLevel(add_prefix_space=False, use_regex=False)])
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    learner.train_from_iterator(texts, trainer)
    learnt = json.loads(learner.to_str())["model"]
    return learnt["vocab"], [(first, second) for first, second in learnt["merges"]]
