"""How long a file may be; how long a function may be is ruff's to say (PLR0915 in pyproject.toml)."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "db", "docs", "examples", "producer", "tests", "workers")

MOST_LINES = 300

LONGER = {
    "db/intake.py",
    "db/ledger.py",
    "db/rubric.py",
    "examples/draw_sample_benchmark.py",
    "producer/benchmark/json_events.py",
    "tests/db/test_fsck.py",
    "tests/db/test_ledger.py",
    "tests/db/test_ledger_machine.py",
    "tests/db/test_options.py",
    "tests/db/test_prompts.py",
    "tests/db/test_remote_store.py",
    "tests/db/test_replies.py",
    "tests/db/test_roles.py",
    "tests/producer/benchmark/test_hub.py",
    "tests/producer/benchmark/test_json_events.py",
    "tests/producer/benchmark/test_public_layouts.py",
    "tests/producer/judge_check/test_check.py",
    "tests/producer/judge_check/test_files.py",
    "tests/producer/recipes/test_following.py",
    "tests/producer/recipes/test_official_numbers.py",
    "tests/producer/recipes/test_official_tables.py",
    "tests/producer/report/test_figures.py",
    "tests/producer/test_activity.py",
    "tests/producer/test_cli.py",
    "tests/producer/test_gallery_files.py",
    "tests/producer/test_given_edits.py",
    "tests/producer/test_import_by_recipe.py",
    "tests/producer/test_import_scores.py",
    "tests/producer/test_original.py",
    "tests/producer/test_own_prompts.py",
    "tests/producer/test_watch.py",
    "tests/workers/models/test_diffusers_editor.py",
    "tests/workers/models/test_transformers_scorer.py",
    "tests/workers/test_api_scorer.py",
    "tests/workers/test_children.py",
    "tests/workers/test_metrics.py",
    "tests/workers/test_supply.py",
    "workers/lease.py",
    "workers/stint/loop.py",
}
"""Files that are better left longer; DECISIONS.md says why."""


def test_no_file_is_longer_than_one_subject_takes() -> None:
    longer = {
        str(file.relative_to(ROOT))
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        if len(file.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }

    assert longer - LONGER == set(), f"split these by subject: over {MOST_LINES} lines"
    assert LONGER - longer == set(), "these are short enough by now: strike them out above"
