"""Layouts of public benchmarks that come as data sets of Hugging Face's.

Columns as the benchmarks' own cards and code name them, read in November 2026; see docs for what is not certain.
"""

from __future__ import annotations

from producer.benchmark.layouts.layout import Layout

MAGICBRUSH = Layout(
    key=("={img_id}-{turn_index}",),
    category=("=turn {turn_index}",),
    instruction=("instruction",),
    source=("source_img",),
    reference=("target_img",),
    marks=frozenset({"img_id", "turn_index", "source_img", "target_img", "instruction"}),
)
"""osunlp/MagicBrush: each turn on its own, from the right result of the turn before. An image's id is in several turns.

`mask_img` is the source with what is to be edited made transparent; no part of a sample takes it.
"""

GEDIT_V2 = Layout(
    key=("key",),
    category=("task",),
    instruction=("instruction",),
    source=("source_image",),
    marks=frozenset({"key", "task", "instruction", "source_image"}),
)
"""GEditBench-v2/GEditBench-v2, as rows of a data set and as the lines of `metadata.jsonl` beside `images/source`.

A line's `candidates` are other editors' images, `images/edited/MODEL/KEY.png`: a folder that `submit --edits` takes.
"""

GEDIT = Layout(
    key=("={instruction_language}/{key}",),
    category=("task_type",),
    instruction=("instruction",),
    source=("input_image_raw", "input_image"),
    fields=("instruction_language", "Intersection_exist"),
    marks=frozenset({"key", "task_type", "instruction", "instruction_language", "input_image"}),
)
"""stepfun-ai/GEdit-Bench: rows in English and in Chinese, which are never averaged together, nor told apart by `key`.

Edited images in its own layout, `TASK/LANGUAGE/KEY.png`, are a folder that `submit --edits` takes.
`input_image` is `input_image_raw` at about 512 x 512 pixels; the second version of its scorer judges by the raw one.
"""
