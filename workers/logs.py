"""Logging of a worker: one event a line with its ids first, as text on a terminal and as JSON lines elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from db.settings import settings


def configure_logging(level: int | str, *, ours: int | str | None = None) -> None:
    """Send our events and the libraries' log records the same way to stderr; `ours`: another level for our own."""
    before: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer()],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("workers").setLevel(logging.NOTSET if ours is None else ours)
    # "received", "succeeded", a line for every request to a judge: our own events say more
    for chatty in ("celery.worker.strategy", "celery.app.trace", "httpx", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _renderer() -> Any:
    chosen = settings().log_format
    if chosen == "json" or (chosen == "auto" and not sys.stderr.isatty()):
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)
