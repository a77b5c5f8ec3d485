"""The schemas in docs/schemas are those of the reports that are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from producer.comparison.schema import SCHEMA as COMPARE
from producer.comparison.schema import Comparison
from producer.doctor.schema import SCHEMA as DOCTOR
from producer.doctor.schema import Diagnosis
from producer.judge_check.schema import SCHEMA as JUDGE_CHECK
from producer.judge_check.schema import JudgeCheck
from producer.report.schema import SCHEMA as REPORT
from producer.report.schema import Report

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"


@pytest.mark.parametrize(
    ("name", "model"), [(REPORT, Report), (COMPARE, Comparison), (JUDGE_CHECK, JudgeCheck), (DOCTOR, Diagnosis)]
)
def test_a_schema_is_as_the_code_has_it(name: str, model: type[BaseModel]) -> None:
    made = json.dumps(model.model_json_schema(mode="serialization"), ensure_ascii=False, indent=2) + "\n"
    file = FOLDER / f"{name.replace('/', '-')}.json"

    written = file.read_text(encoding="utf-8") if file.exists() else ""

    assert written == made, f"{file.name} should be\n{made}"


@pytest.mark.parametrize("model", [Report, Comparison, JudgeCheck, Diagnosis])
def test_every_field_of_a_schema_says_what_it_is_by_name_or_in_words(model: type[BaseModel]) -> None:
    definitions = model.model_json_schema(mode="serialization")["$defs"].values()

    assert [one["title"] for one in definitions if not one.get("description")] == []
