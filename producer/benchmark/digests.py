"""Which images were seen before: many samples may share one, and what was done with it need not be done again."""

from __future__ import annotations

REMEMBERED = 200_000
"""So many digests are remembered, some 20 MB; an image beyond them is taken for a new one."""


class Digests:
    """A set of digests, bounded."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def __len__(self) -> int:
        """Return how many are remembered: REMEMBERED may stand for more."""
        return len(self._known)

    def __contains__(self, digest: str) -> bool:
        return bytes.fromhex(digest) in self._known

    def add(self, digest: str) -> bool:
        """Remember the digest; tell whether it was not known."""
        if digest in self:
            return False
        if len(self._known) < REMEMBERED:
            self._known.add(bytes.fromhex(digest))
        return True
