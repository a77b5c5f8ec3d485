"""Simulated models that keep, beside each result, when they began and ended; a farm finds them as it finds any plug-in.

The ledger knows when a job was claimed and when it was committed; a model's own beginning and end lie in between.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import ImageOps

from benchmarks.measured_farm.clocked import clock_transactions
from db.catalogue import ModelSpec
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from workers.models.errors import ModelFault
from workers.models.protocols import EditedImage, EditRequest, Rating, ScoreRequest
from workers.models.simulated import SimulatedEditor, SimulatedScorer

EDITOR, SCORER, PHOTO_EDITOR = "benchmark-editor", "benchmark-scorer", "benchmark-photo-editor"
BEGAN, ENDED = "began", "ended"
"""Names in a result's detail: seconds since the epoch."""

Options = tuple[SimulatedEditorOptions, SimulatedScorerOptions]
NO_OP: Options = SimulatedEditorOptions(seconds=0, steps=1), SimulatedScorerOptions(seconds=0)
"""Work that takes no time."""


class TimedEditor(SimulatedEditor):
    """The simulated editor."""

    def __init__(self, options: SimulatedEditorOptions) -> None:
        super().__init__(options)
        clock_transactions()

    def edit(self, request: EditRequest) -> EditedImage:
        """Return the image, and when it was made."""
        began = time.time()
        edited = super().edit(request)
        return replace(edited, detail={BEGAN: began, ENDED: time.time()})


class TimedPhotoEditor(TimedEditor):
    """One that gives an image as hard to encode as its source: the source, mirrored."""

    def edit(self, request: EditRequest) -> EditedImage:
        """Return the mirrored source, and when it was made."""
        edited = super().edit(request)
        photo = ImageOps.mirror(request.source)
        return EditedImage(photo, {**edited.detail, ENDED: time.time()})


class TimedScorer(SimulatedScorer):
    """The simulated scorer."""

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
        """Return the ratings, and when their batch was judged."""
        began = time.time()
        ratings = super().score(batch)
        detail = {BEGAN: began, ENDED: time.time()}
        return [replace(one, detail=detail) if isinstance(one, Rating) else one for one in ratings]


EDITOR_SPEC = ModelSpec(f"{__name__}:TimedEditor", SimulatedEditorOptions, "waits, and keeps when")
PHOTO_EDITOR_SPEC = ModelSpec(f"{__name__}:TimedPhotoEditor", SimulatedEditorOptions, "waits, and mirrors its source")
SCORER_SPEC = ModelSpec(f"{__name__}:TimedScorer", SimulatedScorerOptions, "waits, and keeps when")

_ENTRY_POINTS = f"""[editfarm.editors]
{EDITOR} = {__name__}:EDITOR_SPEC
{PHOTO_EDITOR} = {__name__}:PHOTO_EDITOR_SPEC
[editfarm.scorers]
{SCORER} = {__name__}:SCORER_SPEC
"""


def install_timed_models(folder: Path) -> Path:
    """Write the plug-in's description below the folder; return what belongs on the path of who is to find it."""
    path = folder / "plug-ins"
    about = path / "editfarm_benchmarks-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: editfarm-benchmarks\nVersion: 1\n")
    (about / "entry_points.txt").write_text(_ENTRY_POINTS)
    return path
