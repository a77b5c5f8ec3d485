"""A scorer of one's own: what the farm needs to know of it. The producer imports this too, so no torch here."""

from db.catalogue import ModelSpec
from db.options import ScorerOptions

SPEC = ModelSpec(
    backend="shape_kept.scorer:ShapeKept",
    options=ScorerOptions,
    summary="10 where the edit is as wide for its height as the source, less where it is not",
    needs_gpu=False,
    fills_gpu=False,
)
