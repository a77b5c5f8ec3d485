"""Outlasting what a job needs and cannot help: a database that restarts, a disk that is full.

The work stands still meanwhile, with one line when it stops and one when it goes on, and nothing that is done is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from db.errors import ServiceUnreachable, first_line

log = structlog.get_logger()

T = TypeVar("T")

LONGEST_SECONDS = 1800.0
"""How long one outage is waited for; below the time limit of a task, so that it is the wait that ends and is told."""

LONGEST_WAIT_SECONDS = 10.0


class Outlast(Protocol):
    """Calls what may fail for a while, and is told what is then waited for."""

    def __call__(self, what: str, call: Callable[[], T], /) -> T: ...  # noqa: D102


def at_once(_what: str, call: Callable[[], T], /) -> T:
    """Call once and wait for nothing."""
    return call()


class Outages:
    """Calls again what fails for a cause that may pass, after waits that grow and are spread.

    `shown` is entered for the length of it; `wait` is told what is waited for, before each wait.
    """

    def __init__(
        self,
        *,
        shown: Callable[[], AbstractContextManager[None]] = nullcontext,
        wait: Callable[[str], None] = lambda _what: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._shown = shown
        self._wait = wait
        self._sleep = sleep

    def outlast(self, what: str, call: Callable[[], T], /) -> T:
        """Return what the call returns at last; raise what it raises if that cannot pass, or did not in time."""

        def tell(state: RetryCallState) -> None:
            if state.attempt_number == 1:
                log.warning("work.waits", on=what, reason=_reason(state), next="goes on by itself when that has passed")
            self._wait(f"waiting for {what}")

        retrying = Retrying(
            retry=retry_if_exception(may_pass),
            wait=wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT_SECONDS),
            stop=stop_after_delay(LONGEST_SECONDS),
            before_sleep=tell,
            sleep=self._sleep,
            reraise=True,
        )
        with self._shown():
            result = retrying(call)
        if retrying.statistics["attempt_number"] > 1:
            log.info("work.goes_on", on=what, seconds=round(retrying.statistics["delay_since_first_attempt"], 1))
        return result


def may_pass(error: BaseException) -> bool:
    """Tell whether the error says that a database or a disk is not to be had just now."""
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    return isinstance(error, OSError | ServiceUnreachable)


def _reason(state: RetryCallState) -> str:
    error = state.outcome.exception() if state.outcome is not None else None
    return first_line(error) if error is not None else ""
