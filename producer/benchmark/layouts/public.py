"""The layouts by the names that `--format` takes.

Columns as the benchmarks' own code names them, read in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from producer.benchmark.layouts.layout import NAME_OF_FOLDER, NAME_OF_RECORD, PLAIN, Layout
from producer.benchmark.layouts.of_datasets import GEDIT, GEDIT_V2, MAGICBRUSH

FRAME = "frame"
"""A column that KRIS-Bench's reader adds: which frame of a sequence is missing, from 1."""

IMGEDIT = Layout(
    key=(NAME_OF_RECORD,),
    category=("edit_type",),
    instruction=("prompt",),
    source=("id",),
    marks=frozenset({NAME_OF_RECORD, "id", "prompt", "edit_type"}),
)
"""ImgEdit-Bench, `basic_edit.json` and `singleturn.json`: an object of records; `id` is the image's path.

The type that some versions call `adjust` and others `alter` is taken as it stands.
"""

KRIS = Layout(
    key=(NAME_OF_RECORD, "image_id", "key"),
    category=(NAME_OF_FOLDER, "category"),
    instruction=("ins_en",),
    source=("ori_img",),
    reference=("gt_img",),
    reference_text=("explain_en",),
    fields=(FRAME,),
    marks=frozenset({"ori_img", "ins_en"}),
)
"""KRIS-Bench."""

RISE = Layout(
    key=("index",),
    category=("category",),
    instruction=("instruction",),
    source=("image",),
    reference=("reference_img",),
    reference_text=("reference_txt", "reference"),
    fields=("subtask", "consistency_free", "reasoning_img", "reasoning_img_op", "reasoning_wo_ins"),
    marks=frozenset({"index", "category", "instruction", "image"}),
)
"""RISEBench. Of the fields after `subtask` only the presence counts; what stands there is the text `True`."""

ORIGINAL = "original"

LAYOUTS: Mapping[str, Layout] = {
    **{ORIGINAL: PLAIN, "plain": PLAIN, "gedit": GEDIT, "gedit-v2": GEDIT_V2},
    **{"imgedit": IMGEDIT, "kris": KRIS, "magicbrush": MAGICBRUSH, "rise": RISE},
}
