"""Asks a server until it answers: which failures may pass, how long to wait before another attempt, when to give up.

It knows what failures of the openai client mean; what is asked, and what an answer is worth, it leaves to the caller.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from workers.models.errors import ModelFault, ServiceFault

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError
    from tenacity import RetryCallState

log = structlog.get_logger()

T = TypeVar("T")

LONGEST_MESSAGE = 300
"""Characters that are repeated of what a server says."""

_MAY_PASS = frozenset({408, 409, 429})
"""The statuses below 500 that another attempt may mend: too slow, in conflict, too many requests."""

_JITTER_SECONDS = 1.0
"""At most so much more than a server asked for, lest all who were sent away come back at once."""

_SECONDS = re.compile(r"\d+(\.\d+)?")


class Rejected(ModelFault):
    """The server will not do what it was asked, at any time; `said` is all that it said of it, with no secret in it."""

    def __init__(self, reason: str, status: int, said: str) -> None:
        super().__init__(reason)
        self.status = status
        self.said = said


class NoAnswer(Exception):
    """What came is not what this kind of server answers: a page of a proxy, an error that calls itself a success."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a server answered, how long that took it, and at which attempt, counted from 1, it did."""

    content: T
    seconds: float
    attempt: int


class Patience:
    """How one server is borne with; may be shared by threads.

    `hide` takes secrets out of what a server says: some repeat the key that they were sent.
    """

    def __init__(
        self,
        *,
        attempts: int,
        longest_wait_seconds: float,
        sleep: Callable[[float], None],
        hide: Callable[[str], str],
    ) -> None:
        from tenacity import wait_random_exponential  # here: without it the caller still says what is missing

        self._attempts = attempts
        self._longest_wait_seconds = longest_wait_seconds
        self._sleep = sleep
        self._hide = hide
        self._backoff = wait_random_exponential(multiplier=1, max=longest_wait_seconds)

    def ask(self, send: Callable[[], T], sample: str) -> Answer[T]:
        """Return the first answer that `send`, which may raise NoAnswer, gets; `sample` is named in the log.

        Raises Rejected where the server says no, ServiceFault where it does not answer in time or asks for too long.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        retrying = Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._attempts),
            wait=self._wait_seconds,
            retry=retry_if_exception_type(_Failed),
            before_sleep=lambda state: _log_wait(sample, state),
            reraise=True,
        )
        try:
            content, seconds = retrying(self._attempt, send)
        except _Failed as failure:
            times = "1 attempt" if self._attempts == 1 else f"{self._attempts} attempts"
            raise ServiceFault(f"the server gave no answer in {times}; the last: {failure}") from None
        return Answer(content, seconds, int(retrying.statistics["attempt_number"]))

    def _attempt(self, send: Callable[[], T]) -> tuple[T, float]:
        """Return what was sent back, and after how many seconds. Raises _Failed where another attempt may do better.

        Every fault is raised without its cause: that one holds the request, and the key in it.
        """
        from openai import APIConnectionError, APIStatusError

        started = time.perf_counter()
        try:
            content = send()
            return content, time.perf_counter() - started
        except APIStatusError as error:
            raise self._meaning(error) from None
        except APIConnectionError as error:
            raise _Failed(self._brief(_cause(error))) from None
        except (NoAnswer, ValueError, RecursionError) as error:  # not JSON, or more than a reader of JSON takes
            raise _Failed(self._brief(f"what it sent is no answer: {error}")) from None

    def _meaning(self, error: APIStatusError) -> Exception:
        status = error.status_code
        message = self._brief(_message(error.body))
        if status < 400:
            elsewhere = error.response.headers.get("location", "elsewhere")
            message = self._brief(f"it redirects to {elsewhere}, which is not followed: name it as base_url")
        answered = f"{status}: {message}" if message else str(status)
        if status not in _MAY_PASS and status < 500:
            return Rejected(f"the server answered {answered}", status, self._hide(json.dumps(error.body)))
        asked = asked_wait_seconds(error.response.headers.get("retry-after"), time.time())
        if asked is not None and asked > self._longest_wait_seconds:
            bound = f"longest_wait_seconds is {self._longest_wait_seconds:g}"
            return ServiceFault(f"the server asks to wait for {asked:.0f} s, {bound}; it answered {answered}")
        return _Failed(answered, asked)

    def _wait_seconds(self, state: RetryCallState) -> float:
        """Return the time until the next attempt: exponential with full jitter, and no shorter than was asked for."""
        failure = state.outcome.exception() if state.outcome else None
        backoff = self._backoff(state)
        if not isinstance(failure, _Failed) or failure.asked_seconds is None:
            return backoff
        return max(backoff, failure.asked_seconds + random.uniform(0, _JITTER_SECONDS))

    def _brief(self, text: str) -> str:
        """Return the first line, no longer than is repeated; what is hidden is hidden before anything is cut."""
        return self._hide(text).strip().partition("\n")[0].rstrip()[:LONGEST_MESSAGE]


def asked_wait_seconds(retry_after: str | None, now: float) -> float | None:
    """Return how long a `Retry-After` asks to wait, from `now` in seconds since the epoch; None for none that is one.

    RFC 9110, section 10.2.3; fractions of a second, which it does not know, are taken as they are meant.
    """
    if retry_after is None:
        return None
    if _SECONDS.fullmatch(retry_after.strip()):
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - now)
    except (ValueError, OverflowError):
        return None


class _Failed(Exception):
    """One attempt failed and another may not; `asked_seconds` is how long the server asks to be left alone."""

    def __init__(self, reason: str, asked_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.asked_seconds = asked_seconds


def _message(body: object) -> str:
    """Return what an error's body says: a text, or JSON that holds it as `message` (OpenAI) or `detail` (FastAPI)."""
    if isinstance(body, Mapping):
        body = next((body[name] for name in ("message", "detail") if isinstance(body.get(name), str)), body)
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _cause(error: APIConnectionError) -> str:
    """Return what went wrong on the line; the client's own message says no more than that something did."""
    cause = error.__cause__
    return f"{type(cause).__name__}: {cause}" if cause is not None else str(error)


def _log_wait(sample: str, state: RetryCallState) -> None:
    failure = state.outcome.exception() if state.outcome else None
    wait_seconds = round(state.upcoming_sleep, 1)
    log.warning(
        "service.again", sample=sample, tries=state.attempt_number, wait_seconds=wait_seconds, reason=str(failure)
    )
