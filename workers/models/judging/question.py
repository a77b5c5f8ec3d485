"""What a judge is shown and asked about one edit; the same for a model on this GPU and one behind a server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL.Image import Image

from db.options import JudgeOptions
from db.prompts import PromptSubject, prompt_of, render_prompt
from db.rubric import RubricQuestion, Shown, there_is
from workers.models.errors import InputFault, ModelFault
from workers.models.pixels import resized, within_area
from workers.models.protocols import ScoreRequest

Part = str | Image
"""Of a question: what is read, or looked at."""


@dataclass(frozen=True)
class Question:
    """A system prompt (maybe empty), and what the judge reads and sees, in this order.

    `rubric`: the question of the run's rubric that this is, with the form of its answer; None where there is no rubric.
    """

    system: str
    content: Sequence[Part]
    rubric: RubricQuestion | None = None


def questions_for(request: ScoreRequest, options: JudgeOptions) -> list[Question]:
    """Return what is asked: one question, or those of the rubric; images are no larger than the options allow.

    Raises ModelFault where the run holds no prompts: submit writes them out; and InputFault where a rubric shows what
    the sample does not have.
    """
    subject = PromptSubject(
        key=request.key,
        category=request.category,
        instruction=request.instruction,
        description=request.description,
        has_reference=request.reference is not None,
        reference_text=request.reference_text,
        source_count=1 + len(request.more_sources),
    )
    if options.rubric is None:
        return [_only_question(request, options, subject)]
    there = there_in(request)
    asked = options.rubric.asked(request.category, there)
    return [_question(one, request, options, subject) for one in asked]


def there_in(request: ScoreRequest) -> frozenset[str]:
    """Return what of the sample is there, as a rubric's conditions name it."""
    return there_is(
        request.fields,
        reference=request.reference is not None,
        reference_text=request.reference_text,
        description=request.description,
        more_sources=bool(request.more_sources),
    )


def prompts_digest(options: JudgeOptions) -> str:
    """Return what tells these prompts from others at a glance; their text is in the run."""
    if options.rubric is not None:
        texts: object = options.rubric.model_dump(mode="json")
    else:
        texts = {category: prompt.model_dump() for category, prompt in (options.prompts or {}).items()}
    return hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]


# -- without a rubric --------------------------------------------------------------------------------------------------


def _only_question(request: ScoreRequest, options: JudgeOptions, subject: PromptSubject) -> Question:
    """Return the source images, the edited one, the reference if there is one, and then the prompt."""
    if options.prompts is None:
        raise ModelFault("the run holds no prompts for this judge; submit it again")
    prompt = render_prompt(prompt_of(options.prompts, request.category), subject)
    shown = (request.source, *request.more_sources, request.edited, request.reference)
    images = [within_area(image, options.max_image_pixels) for image in shown if image is not None]
    return Question(prompt.system, [*images, prompt.user])


# -- of a rubric -------------------------------------------------------------------------------------------------------


def _question(asked: RubricQuestion, request: ScoreRequest, options: JudgeOptions, subject: PromptSubject) -> Question:
    prompt = render_prompt(asked.prompt, subject)
    content = [part for shown in asked.show for part in _parts(shown, request, prompt.user)]
    return Question(prompt.system, [_to_size(part, options) for part in content], asked)


def _to_size(part: Part, options: JudgeOptions) -> Part:
    if isinstance(part, str):
        return part
    resize = options.rubric.resize if options.rubric else None
    return within_area(resized(part, resize) if resize else part, options.max_image_pixels)


def _parts(shown: Shown, request: ScoreRequest, prompt: str) -> Iterator[Part]:
    if shown.what == "prompt":
        yield prompt
        return
    for number, (image, is_edited) in enumerate(_images(shown, request), start=1):
        label = shown.edited_label if is_edited and shown.what == "frames" else shown.label
        if label:
            yield label.replace("{number}", str(number))
        yield image


def _images(shown: Shown, request: ScoreRequest) -> list[tuple[Image, bool]]:
    """Return the images of a part, each with whether it is the edited one."""
    sources = [(image, False) for image in (request.source, *request.more_sources)]
    if shown.what == "source":
        return sources[:1]
    if shown.what == "sources":
        return sources
    if shown.what == "edited":
        return [(request.edited, True)]
    if shown.what == "frames":
        place = _frame_of(request, len(sources) + 1)
        return [*sources[: place - 1], (request.edited, True), *sources[place - 1 :]]
    if request.reference is None:
        raise InputFault("the rubric shows the judge a reference image, and the sample has none")
    return [(request.reference, False)]


def _frame_of(request: ScoreRequest, frames: int) -> int:
    """Return the place of the edited image among so many frames, from 1; tables have numbers as texts."""
    given = request.fields.get("frame")
    place = int(given) if isinstance(given, str) and given.isdecimal() and len(given) < 10 else given
    if isinstance(place, bool) or not isinstance(place, int) or not 1 <= place <= frames:
        raise InputFault(f"the sample's field `frame` is {given!r}: its frames cannot be put in order")
    return place
