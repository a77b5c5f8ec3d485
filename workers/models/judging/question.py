"""What a judge is shown and asked for one request; the same for a model on this GPU and one behind a server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image

from db.options import JudgeOptions
from db.prompts import PromptSubject, prompt_of, render_prompt
from workers.models.errors import ModelFault
from workers.models.pixels import within_area
from workers.models.protocols import ScoreRequest


@dataclass(frozen=True)
class Question:
    """A system prompt (maybe empty), the images, the prompt.

    The images are in the order source (all of them), edited, reference if there is one.
    """

    system: str
    images: Sequence[Image]
    user: str


def question_for(request: ScoreRequest, options: JudgeOptions) -> Question:
    """Return the question, its images no larger than the options allow.

    Raises ModelFault where the run holds no prompts: submit writes them out.
    """
    if options.prompts is None:
        raise ModelFault("the run holds no prompts for this judge; submit it again")
    subject = PromptSubject(
        key=request.key,
        category=request.category,
        instruction=request.instruction,
        description=request.description,
        has_reference=request.reference is not None,
        reference_text=request.reference_text,
        source_count=1 + len(request.more_sources),
    )
    prompt = render_prompt(prompt_of(options.prompts, request.category), subject)
    shown = (request.source, *request.more_sources, request.edited, request.reference)
    images = [image for image in shown if image is not None]
    return Question(prompt.system, [within_area(image, options.max_image_pixels) for image in images], prompt.user)


def prompts_digest(options: JudgeOptions) -> str:
    """Return what tells these prompts from others at a glance; their text is in the run."""
    texts = {category: prompt.model_dump() for category, prompt in (options.prompts or {}).items()}
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]
