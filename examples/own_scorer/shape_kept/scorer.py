"""The scorer itself: only the worker that runs it imports this, when a job first needs it."""

from collections.abc import Sequence

from db.options import ScorerOptions
from workers.models.errors import ModelFault
from workers.models.protocols import Rating, Scorer, ScoreRequest


class ShapeKept(Scorer):
    """Compares width / height of the edit with that of its source."""

    def __init__(self, options: ScorerOptions) -> None:
        self.options = options

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating for each request, in its order; a request that cannot be rated would get its fault."""
        return [self._rate(request) for request in batch]

    def _rate(self, request: ScoreRequest) -> Rating:
        before, after = (image.width / image.height for image in (request.source, request.edited))
        kept = min(before, after) / max(before, after)
        return Rating(10 * kept, {"source": list(request.source.size), "edited": list(request.edited.size)})
