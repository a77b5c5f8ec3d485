"""A worker's row in words, column by column; what others wrote in it cannot steer a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable

from db.errors import one_line
from producer.standing.rows import Row
from producer.words import hourly_in_words, memory_in_words

LONGEST_REASON = 120
"""Characters that are shown of why a GPU is sick; `status` says the rest."""


def place(row: Row, *, with_host: bool = True) -> str:
    """Return where it works: `[GPU 2]`, with its host where that is wanted; the worker's name where it has no GPU."""
    if not row.gpu:
        return one_line(row.worker if with_host else row.worker.removesuffix(f"@{row.host}"))
    return one_line(f"[GPU {row.gpu}] {row.host}".rstrip() if with_host else f"[GPU {row.gpu}]")


def several_hosts(rows: Iterable[Row]) -> bool:
    """Tell whether a GPU's number alone would not say where it is."""
    return len({row.host for row in rows}) > 1


def doing(row: Row) -> tuple[str, str, str, str, str]:
    """Return stage, model, what it does there, its GPU's memory, and how many jobs it ends an hour."""
    if row.sick is not None:
        return "", "", one_line(f"sick: {row.sick}", longest=LONGEST_REASON), "", ""
    return (
        row.stage.value if row.stage is not None else "",
        one_line(row.model),
        one_line(row.doing),
        memory_in_words(row.said.memory_used_bytes, row.said.memory_bytes),
        hourly_in_words(row.jobs_per_second),
    )


def last_column(row: Row) -> tuple[str, str]:
    """Return the sample, or how many there are, and how long it has been at it."""
    samples = one_line(row.samples[0]) if len(row.samples) == 1 else f"{len(row.samples)} samples"
    seconds = f"{max(0.0, time.time() - row.since):.0f} s" if row.since is not None else ""
    return samples if row.samples else "", seconds
