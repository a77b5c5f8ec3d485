"""Scores that others have published come out of a report as they printed them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.producer.shell import Shell

pytestmark = pytest.mark.integration

RATINGS = Path(__file__).parents[1] / "data" / "imagenhub_text_guided_rater1.txt"
EDITORS = ("InstructPix2Pix", "MagicBrush")
VALUES = {"0": 0.0, "h": 0.5, "1": 1.0}

PRINTED = {
    "InstructPix2Pix": {"SC": "0.30", "PQ": "0.75", "overall": "0.30", "sum of overall": "52.94"},
    "MagicBrush": {"SC": "0.51", "PQ": "0.71", "overall": "0.47", "sum of overall": "85.01"},
}
"""What eval/human_ratings/AnalyzeHumanEval.ipynb prints for the first rater; its overall is the root of SC times PQ."""


def published() -> list[dict[str, Any]]:
    """Return the ratings as `import-scores` takes them; edits of one photo share their source."""
    rows = []
    for line in RATINGS.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        key, *pairs = line.split()
        rows += [
            {
                "sample": key,
                "category": "text-guided",
                "editor": editor,
                "scorer": "rater 1",
                "dimension": dimension,
                "value": VALUES[digit],
                "source": key.partition("_")[0],
            }
            for editor, pair in zip(EDITORS, pairs, strict=True)
            for dimension, digit in zip(("SC", "PQ"), pair, strict=True)
        ]
    return rows


def photos() -> set[str]:
    """Return the photos that were edited, most of them more than once."""
    return {row["source"] for row in published()}


@pytest.fixture
def run_ids(shell: Shell) -> list[str]:
    """The runs that the published ratings became, in the order of the editors."""
    file = shell.folder / "ratings.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in published()), encoding="utf-8")
    done = shell("import-scores", file, "--scale", "0", "1", "--aggregate", "geometric-mean")
    assert done.code == 0, done.err
    return done.out.split()


def test_the_means_are_the_published_ones_to_the_printed_digit(shell: Shell, run_ids: list[str]) -> None:
    for run_id in run_ids:
        report = json.loads(shell("report", run_id, "--json").out)
        figures = {one["name"]: one["overall"] for one in report["scorers"][0]["dimensions"]}

        found = {name: f"{one['mean']:.2f}" for name, one in figures.items()}
        overall = figures["overall"]
        found["sum of overall"] = f"{overall['mean'] * overall['n']:.2f}"
        assert found == PRINTED[report["editor"]]
        assert (overall["n"], overall["coverage"], overall["images"]) == (179, 1.0, len(photos()))


def test_the_two_editors_are_compared_on_all_samples(shell: Shell, run_ids: list[str]) -> None:
    comparison = json.loads(shell("compare", *run_ids, "--json").out)

    overall = comparison["dimensions"][0]["pairs"][0]["overall"]
    assert (overall["n"], overall["images"]) == (179, len(photos()))
    assert overall["wins"] + overall["ties"] + overall["losses"] == 179
    assert overall["p"] < 0.001
