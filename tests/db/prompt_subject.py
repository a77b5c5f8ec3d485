"""A sample that prompts are asked about, and what they say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from db.prompts import JudgePrompt, PromptSubject, RenderedPrompt, benchmark_prompt, render_prompt

SUBJECT = PromptSubject("p-1", "物理", "make it rain", "a street", has_reference=False)


NAMES = (
    *("key", "category", "instruction", "edit_instruction", "description", "original_description"),
    *("has_reference", "reference_text", "source_count"),
)


OTHERWISE = JudgePrompt(system="built in", user="built in: {{ instruction }}")


def own(system: str | None, user: str | None, **subject: Any) -> RenderedPrompt:
    """Return what a benchmark's own prompt says of the subject."""
    return render_prompt(benchmark_prompt(system, user, otherwise=OTHERWISE), replace(SUBJECT, **subject))
