"""Counts, durations, rates and memory as people say them."""

from __future__ import annotations

HOUR_SECONDS = 3600


def counted(count: int, noun: str) -> str:
    """Return how many there are, as in `1 edit` and `2 edits`; what is counted is the last word of the noun."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def in_words(seconds: float) -> str:
    """Return a duration as people say it."""
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if minutes < 120 else f"{hours} h {rest} min" if rest else f"{hours} h"


def rate_in_words(per_second: float) -> str:
    """Return how many jobs end a minute; an hour, where it is less than one a minute. Empty where none ends."""
    if per_second <= 0:
        return ""
    if 60 * per_second >= 1:
        return f"{_number(60 * per_second)}/min"
    return f"{_number(HOUR_SECONDS * per_second)}/h"


def hourly_in_words(per_second: float) -> str:
    """Return how many jobs end an hour, to compare workers by; empty where none ends."""
    return f"{_number(HOUR_SECONDS * per_second)}/h" if per_second > 0 else ""


def memory_in_words(used_bytes: int, total_bytes: int) -> str:
    """Return how much of a memory is taken, in GB (1e9 bytes); empty where there is none."""
    return f"{used_bytes / 1e9:.0f}/{total_bytes / 1e9:.0f} GB" if total_bytes > 0 else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
