"""Keeps the libraries' progress bars and notices out of the workers' log, which has one event a line."""

from __future__ import annotations

import os

import diffusers.utils.logging
import transformers.utils.logging


def quiet_libraries() -> None:
    """Let these libraries say nothing but errors; what they refuse, they raise."""
    os.environ.setdefault("CACHE_DIT_LOG_LEVEL", "error")  # read when it is imported
    for logging in (diffusers.utils.logging, transformers.utils.logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()
