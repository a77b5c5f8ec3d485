"""A judge behind an OpenAI-compatible server (vLLM, SGLang, hosted): what it is sent, and what its answers come to.

When a server that fails is asked again is settled in `workers.models.judging.service_retries`.
"""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from PIL.Image import Image

from db.judge_prompts import CRITERIA
from db.options import ApiJudgeOptions
from db.settings import settings
from workers.models.errors import ModelFault, Refused
from workers.models.judging.hearing import Hearing, Reply
from workers.models.judging.question import Question, prompts_digest
from workers.models.judging.service_client import bounded_client
from workers.models.judging.service_retries import Answer, NoAnswer, Patience, Rejected
from workers.models.protocols import Rating, Scorer, ScoreRequest

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_FROM_0_TO_10 = {"type": "number", "minimum": 0, "maximum": 10}
_VERDICT_SCHEMA = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string"},
        **dict.fromkeys(CRITERIA, _FROM_0_TO_10),  # before the score, in which a judge sums them up
        "score": _FROM_0_TO_10,
    },
    "required": ["reasoning", "score"],
    "additionalProperties": {"type": "number"},  # criteria by other names, where the prompt gives them some
}
_IN_JSON = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "schema": _VERDICT_SCHEMA}},
}

_NOT_THIS_FORMAT = (400, 422)
_WORDS_FOR_THE_FORMAT = ("response_format", "json_schema", "schema", "guided")

_SEEDS = 2**31  # servers keep a seed in a signed 32-bit integer

_LONGEST_NAME = 200
"""Characters that are kept of what a server calls its model."""

_MOST_TOKENS = 2**31
"""What one reply cannot take."""

_SHORTEST_SECRET = 4
"""Characters; to hide a shorter key, which is none, would tear the numbers of a reply apart."""


@dataclass(frozen=True)
class _Asking:
    """One way to ask a question: of what, in which messages, and how the judge draws its words."""

    request: ScoreRequest
    messages: Sequence[Mapping[str, object]]
    seed: int
    temperature: float


@dataclass
class _Kept:
    """What is kept of the answers to one edit's questions: of all together, and of the last."""

    seconds: float = 0.0
    attempts: int = 0
    answered_by: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, answer: Answer[ChatCompletion], answered_by: str) -> None:
        self.seconds += answer.seconds
        self.attempts = max(self.attempts, answer.attempt)
        self.answered_by = answered_by or self.answered_by
        self.prompt_tokens += _tokens(answer.content.usage, "prompt_tokens")
        self.completion_tokens += _tokens(answer.content.usage, "completion_tokens")

    def detail(self) -> dict[str, object]:
        tokens = {"prompt": self.prompt_tokens, "completion": self.completion_tokens}
        return {
            "seconds": round(self.seconds, 3),
            "attempts": self.attempts,
            **({"answered_by": self.answered_by} if self.answered_by else {}),
            **({"tokens": tokens} if any(tokens.values()) else {}),
        }


class ApiScorer(Scorer):
    """Asks about the requests of a batch at the same time, one thread and one question each.

    The key is the setting FARM_JUDGE_API_KEY. It is hidden in all that comes from the server, before anything reads it.
    """

    def __init__(self, options: ApiJudgeOptions, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._options = options
        self._key = _judge_api_key()
        self._format_refused = threading.Event()
        try:
            from openai import OpenAI

            self._patience = Patience(
                attempts=options.attempts,
                longest_wait_seconds=options.longest_wait_seconds,
                sleep=sleep,
                hide=self._hide_key,
            )
        except ImportError as error:
            raise ModelFault("the scorer api needs its packages: pip install 'editfarm[judge-api]'") from error
        self._client = OpenAI(
            api_key=self._key or "none",  # the client wants one, and a local server takes any
            base_url=options.base_url,
            timeout=options.timeout_seconds,
            max_retries=0,
            http_client=bounded_client(options.timeout_seconds),
        )

    def facts(self) -> Mapping[str, object]:
        """Return the server's address, the client's version and the response format that is in use by now."""
        response_format = "json_schema" if self._asks_for_json else "none"
        return {
            "server": self._options.base_url,
            "openai": version("openai"),
            "response_format": response_format,
            "prompts": prompts_digest(self._options),
        }

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating or a fault for each request, in order.

        The detail holds what the judge said, and of its answers the `seconds` and, where the server tells, the `tokens`
        of all together, the most `attempts`, the model that the last was `answered_by`, and `asked_twice` where one was
        the second.
        """
        with ThreadPoolExecutor(self._options.batch_size, thread_name_prefix="judge") as threads:
            # each in a copy of this thread's context: what they log says of which jobs it is
            asked = [threads.submit(copy_context().run, self._rating_or_fault, request) for request in batch]
            return [one.result() for one in asked]

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()

    def _rating_or_fault(self, request: ScoreRequest) -> Rating | ModelFault:
        try:
            return self._rate(request)
        except ModelFault as fault:
            return fault

    def _rate(self, request: ScoreRequest) -> Rating | ModelFault:
        """Return the rating by the judge's replies, each of them the second one where the first cannot be read."""
        hearing = Hearing(request, self._options)
        kept = _Kept()
        for number, question in enumerate(hearing.questions):
            messages = _messages(question, self._options)
            seed = (request.seed + 2 * number) % _SEEDS
            first = _Asking(request, messages, seed, self._options.temperature)
            if not hearing.hear(number, self._reply(first, kept)):
                second = _Asking(request, messages, (seed + 1) % _SEEDS, self._options.second_temperature)
                hearing.hear(number, self._reply(second, kept))
        rating = hearing.rating()
        return Rating(rating.value, {**rating.detail, **kept.detail()}) if isinstance(rating, Rating) else rating

    def _reply(self, asking: _Asking, kept: _Kept) -> Reply:
        """Return what the judge replies. Raises Refused where it declines."""
        answer = self._ask(asking)
        completion = answer.content
        kept.add(answer, self._hide_key(str(completion.model or ""))[:_LONGEST_NAME])
        choice = completion.choices[0]
        reply = self._hide_key(_text(choice.message.content))
        if choice.message.refusal or choice.finish_reason == "content_filter":
            words = self._hide_key(choice.message.refusal or "") or reply
            raise Refused(f"the judge declined to answer: {words or 'its content filter'}", {"reply": words})
        return Reply(reply, cut_off=choice.finish_reason == "length")

    def _ask(self, asking: _Asking) -> Answer[ChatCompletion]:
        """Return the server's answer, in JSON by our schema unless the server cannot do that and need not."""
        if not self._asks_for_json:
            return self._patience.ask(lambda: self._send(asking, {}), asking.request.key)
        try:
            return self._patience.ask(lambda: self._send(asking, _IN_JSON), asking.request.key)
        except Rejected as fault:
            if self._options.response_format != "auto" or not _is_about_the_format(fault):
                raise
        answer = self._patience.ask(lambda: self._send(asking, {}), asking.request.key)
        self._format_refused.set()  # only now is it sure: some servers repeat the whole request in any complaint
        return answer

    @property
    def _asks_for_json(self) -> bool:
        is_ours = self._options.rubric is None  # a rubric asks for answers in a form of its own
        return is_ours and self._options.response_format != "none" and not self._format_refused.is_set()

    def _send(self, asking: _Asking, form: Mapping[str, object]) -> ChatCompletion:
        """Send one request. Raises what the client raises, and NoAnswer for what is no chat completion."""
        messages: Any = asking.messages  # the client's own types know one form of every part, and no others
        completion = self._client.chat.completions.create(
            model=self._options.model,
            messages=messages,
            temperature=asking.temperature,
            max_tokens=self._options.max_new_tokens,
            seed=asking.seed,
            extra_body={**form, **self._options.arguments},
        )
        if not _has_a_message(completion):
            raise NoAnswer(f"no chat completion, but {str(completion).strip() or 'nothing'}")
        return completion

    def _hide_key(self, text: str) -> str:
        return text.replace(self._key, "***") if len(self._key) >= _SHORTEST_SECRET else text


def _has_a_message(completion: object) -> bool:
    """Tell whether this is a chat completion; the client checks nothing, and returns whatever came."""
    choices = getattr(completion, "choices", None)
    message = getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
    content, refusal = (getattr(message, name, 0) for name in ("content", "refusal"))
    return isinstance(content, str | list | None) and isinstance(refusal, str | None)


def _text(content: object) -> str:
    """Return a message's text. Some servers send it in parts, and in parts of another kind what the judge thought."""
    if not isinstance(content, list):
        return str(content or "")
    parts = (part.get("text") for part in content if isinstance(part, dict))
    return "".join(text for text in parts if isinstance(text, str))


def _tokens(usage: object, name: str) -> int:
    """Return how many tokens a server says that it counted; 0 where it says nothing that is a count."""
    count = getattr(usage, name, None)
    return count if type(count) is int and 0 <= count < _MOST_TOKENS else 0


def _judge_api_key() -> str:
    """Return the key, empty where none is set, without the white space that a file may leave around it.

    Raises ModelFault, which does not repeat it, for one that the client would only complain of by repeating it.
    """
    secret = settings().judge_api_key
    key = secret.get_secret_value().strip() if secret is not None else ""
    if not (key.isascii() and key.isprintable()):
        raise ModelFault("FARM_JUDGE_API_KEY holds a character that no header can carry; expected printable ASCII")
    return key


def _messages(question: Question, options: ApiJudgeOptions) -> list[Mapping[str, object]]:
    content = [
        {"type": "text", "text": part} if isinstance(part, str) else _image_part(part, options)
        for part in question.content
    ]
    user = {"role": "user", "content": content}
    return [{"role": "system", "content": question.system}, user] if question.system else [user]


def _image_part(image: Image, options: ApiJudgeOptions) -> Mapping[str, object]:
    detail = {} if options.image_detail is None else {"detail": options.image_detail}
    return {"type": "image_url", "image_url": {"url": _data_url(image, options), **detail}}


def _data_url(image: Image, options: ApiJudgeOptions) -> str:
    file = io.BytesIO()
    if options.image_format == "jpeg":
        image.save(file, "JPEG", quality=options.jpeg_quality)
    else:
        image.save(file, "PNG", compress_level=1)  # lossless all the same, in a fifth of the time of the default
    return f"data:image/{options.image_format};base64,{base64.b64encode(file.getvalue()).decode()}"


def _is_about_the_format(fault: Rejected) -> bool:
    said = fault.said.lower()
    return fault.status in _NOT_THIS_FORMAT and any(word in said for word in _WORDS_FOR_THE_FORMAT)
