"""Requests to a judge behind a server, and what they come to."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from workers.models.api_scorer import ApiScorer
from workers.models.errors import ModelFault
from workers.models.protocols import Rating, ScoreRequest

KEY = "sk-do-not-tell-0123456789"
UNREADABLE = "A fine image."


class Waits:
    """In place of sleeping: notes how long each wait would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


Build = Callable[..., ApiScorer]


def request(key: str = "p-1", *, seed: int = 7, **images: Image.Image) -> ScoreRequest:
    return ScoreRequest(
        key=key,
        category="物理",
        instruction="make it rain",
        description=None,
        source=images.get("source", Image.new("RGB", (4, 4), "red")),
        edited=images.get("edited", Image.new("RGB", (4, 4), "green")),
        reference=images.get("reference"),
        seed=seed,
    )


def only(scorer: ApiScorer, asked: ScoreRequest | None = None) -> Rating | ModelFault:
    [outcome] = scorer.score([asked or request()])
    return outcome


def rated(outcome: Rating | ModelFault) -> Rating:
    assert isinstance(outcome, Rating), repr(outcome)
    return outcome
