"""Lets a judge's reply be nothing but a JSON object with its reasons, its criteria and its score."""

from __future__ import annotations

from typing import Any

from db.judge_prompts import CRITERIA
from workers.models.errors import ModelFault
from workers.models.judging.vision_language import VisionLanguageModel

# A grammar and not a JSON schema: a schema bounds neither a number's decimals nor, with criteria that may be left out,
# the length of the whole, and a judge that cannot stop would never come to its score.
_NAMES = " | ".join(f'"{name}"' for name in CRITERIA)
_GRAMMAR = rf"""
root ::= "{{\"reasoning\": \"" letter{{1,1200}} "\"" criterion{{0,6}} ", \"score\": " number "}}"
criterion ::= ", \"" name "\": " number
name ::= {_NAMES}
number ::= "10" | [0-9] ("." [0-9])?
letter ::= [^"\\\x00-\x1f] | "\\" ["\\nrt]
"""


class JsonConstraint:
    """The grammar compiled for one model's vocabulary. Raises ModelFault when xgrammar is not installed."""

    def __init__(self, model: VisionLanguageModel) -> None:
        try:
            import xgrammar
        except ImportError as error:
            raise ModelFault("constrained replies need xgrammar: pip install xgrammar") from error
        vocabulary_size = model.network.config.get_text_config().vocab_size
        information = xgrammar.TokenizerInfo.from_huggingface(model.tokenizer, vocab_size=vocabulary_size)
        self._compiled = xgrammar.GrammarCompiler(information).compile_grammar(_GRAMMAR)

    def for_one_call(self) -> Any:
        """Return the logits processor of one batch: it follows each row's reply and serves once."""
        from xgrammar.contrib.hf import LogitsProcessor

        return LogitsProcessor(self._compiled)
