"""A report as JSON: schema `editfarm.report/1`, every number or null, never NaN."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from db.categories import ENGLISH_ALIASES
from db.queries import Run
from producer.report.gather import Group, Report
from producer.status import progress_data

SCHEMA = "editfarm.report/1"


def report_as_json(report: Report) -> str:
    """Return the report as indented JSON text."""
    content = {
        "schema": SCHEMA,
        "run": run_data(report.run),
        "partial": report.progress.partial,
        "progress": progress_data(report.progress),
        "scorers": [
            {
                "scorer": scorer.scorer,
                "overall": _group_data(scorer.overall),
                "categories": [_group_data(group) for group in scorer.categories],
            }
            for scorer in report.scorers
        ],
        "environments": list(report.environments),
        "shared_edits": dict(report.shared_edits),
        "failures": [asdict(failure) for failure in report.failures],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)


def run_data(run: Run) -> dict[str, Any]:
    """Return what identifies a run and all that shaped its results."""
    return {
        "id": run.id,
        "benchmark": {"digest": run.benchmark_id, "name": run.benchmark_name, "samples": run.sample_count},
        "configuration": run.configuration,
        "priority": run.priority,
        "created_at": run.created_at,
    }


def _group_data(group: Group) -> dict[str, Any]:
    summary = group.summary
    name = {"category": group.category, "alias": ENGLISH_ALIASES.get(group.category)} if group.category else {}
    return {**name, **asdict(summary), "coverage": summary.coverage}
