"""The check of a judge as a document, to be written in every format that is text."""

from __future__ import annotations

from producer.judge_check.csv_rows import check_as_csv
from producer.judge_check.grids import closing, grids, heading
from producer.judge_check.schema import JudgeCheck
from producer.report.document import Document


def check_document(check: JudgeCheck) -> Document:
    """Return the check as a document."""
    return Document(
        title="May this judge be trusted?",
        beginning=heading(check),
        grids=lambda wide: grids(check, wide=wide),
        closing=closing(check),
        data=check,
        csv=lambda: check_as_csv(check),
    )
