"""An editor of one's own: what the farm needs to know of it. The producer imports this too, so no torch here."""

from typing import Annotated

from pydantic import Field

from db.catalogue import ModelSpec
from db.options import EditorOptions


class Options(EditorOptions):
    """What a run may say of it; all of this is stored with the run."""

    bits: Annotated[int, Field(ge=1, le=8, description="bits that each colour keeps")] = 3


SPEC = ModelSpec(
    backend="posterise.editor:Posterise",
    options=Options,
    summary="leaves an image few colours, whatever the instruction says",
    needs_gpu=False,
    fills_gpu=False,
)
