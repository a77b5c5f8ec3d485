"""The seeds of edits and judgements: functions of what is asked, never of who does it or when."""

from __future__ import annotations

import hashlib


def edit_seed(run_seed: int, sample_key: str, repeat: int) -> int:
    """Return the seed of one edit, in [0, 2**63): the same on every worker, in every order, on any number of GPUs."""
    return _seed(f"{run_seed}/{repeat}/{sample_key}")


def judge_seed(run_seed: int, sample_key: str, repeat: int, judge_repeat: int) -> int:
    """Return the seed of one judgement, likewise: a judge's first has its edit's seed, each further one its own."""
    if judge_repeat == 0:
        return edit_seed(run_seed, sample_key, repeat)
    return _seed(f"{run_seed}/{repeat}.{judge_repeat}/{sample_key}")


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
