"""Logging of a worker: one event a line with its ids first, as text on a terminal and as JSON lines elsewhere.

Each line says which worker and GPU it comes from; what else a thread has bound (structlog's context variables) goes
with every event of that thread, a library's too. `docs/howto/monitoring.md` lists the events.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from db.errors import one_line
from db.gpus import gpu_of
from db.settings import settings

FIRST = ("timestamp", "level", "event", "worker", "gpu", "stage", "run", "job", "sample", "attempt")
"""What a line begins with, as far as it has it; every event says these things by these names."""

_WORKER = "EDITFARM_WORKER"

_OF_SEVERAL_LINES = ("event", "exception", "stack")
_LONGEST_LINE = 100_000

log = structlog.get_logger()


def configure_logging(level: int | str, *, ours: int | str | None = None) -> None:
    """Send our events and the libraries' log records the same way to stderr; `ours`: another level for our own."""
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _add_worker,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _ids_first,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering()],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)  # Python's, which are no line of JSON either
    logging.getLogger("workers").setLevel(logging.NOTSET if ours is None else ours)
    # "received", "succeeded", a line for every request to a judge: our own events say more
    for chatty in ("celery.worker.strategy", "celery.app.trace", "httpx", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def log_as(worker: str) -> None:
    """Name the worker in every line of this process and of those that it starts."""
    os.environ[_WORKER] = worker


def log_uncaught() -> None:
    """Have what nobody catches logged as everything else: a bare traceback is no line of JSON."""
    sys.excepthook = lambda kind, error, trace: log.critical("process.error", exc_info=(kind, error, trace))
    threading.excepthook = lambda told: log.critical(
        "thread.error",
        thread=told.thread.name if told.thread is not None else "",
        exc_info=(told.exc_type, told.exc_value, told.exc_traceback),
    )


def _add_worker(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if (worker := os.environ.get(_WORKER)) is not None:
        event.setdefault("worker", worker)
        event.setdefault("gpu", gpu_of(worker))
    return event


def _ids_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**{name: event[name] for name in FIRST if name in event}, **event}


def _rendering() -> list[Any]:
    chosen = settings().log_format
    if chosen == "json" or (chosen == "auto" and not sys.stderr.isatty()):
        if hasattr(sys.stderr, "reconfigure"):
            sys.stderr.reconfigure(encoding="utf-8")  # whatever the locale is
        return [as_json]
    return [_harmless, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)]


def _harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Write out what would act on a terminal: names and reasons are strangers', whole lines only a traceback's."""
    return {name: _written_out(name, value) if isinstance(value, str) else value for name, value in event.items()}


def _written_out(name: str, text: str) -> str:
    lines = text.split("\n") if name in _OF_SEVERAL_LINES else [text]
    return "\n".join(one_line(line, longest=_LONGEST_LINE) for line in lines)


def as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Return the event as one line of JSON, whatever it holds: what JSON cannot say, an infinity too, is shown as text.

    Halves of surrogate pairs, as file names that are no UTF-8 have them, become question marks; what else would act on
    a terminal is escaped.
    """
    try:
        line = json.dumps(event, ensure_ascii=False, allow_nan=False, default=repr)
    except (ValueError, TypeError):  # not a number, a circle, a key that is none
        line = json.dumps({str(name): _shown(value) for name, value in event.items()}, ensure_ascii=False)
    line = line.encode(errors="replace").decode()
    return line if line.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def _shown(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError):
        return repr(value)
    return value
