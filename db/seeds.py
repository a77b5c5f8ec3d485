"""The seed of an edit: a function of what is asked, never of who does it or when."""

from __future__ import annotations

import hashlib


def edit_seed(run_seed: int, sample_key: str, repeat: int) -> int:
    """Return the seed of one edit, in [0, 2**63): the same on every worker, in every order, on any number of GPUs."""
    digest = hashlib.sha256(f"{run_seed}/{repeat}/{sample_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
