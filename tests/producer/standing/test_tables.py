"""What a person reads of where runs stand."""

from __future__ import annotations

import io

from rich.console import Console

from producer.standing.tables import run_lines, status_table, workers_table

RUN = {
    **{
        "run": "6fa0be8e6a30",
        "benchmark": "图像编辑物理与社会常识推理评测集-v2",
        "editor": "qwen-image-edit-2511-lightning-8",
    },
    **{"scorers": ["qwen3-vl-8b"], "state": "cancelled", "created_at": 0.0},
    **{"edits": {"done": 9_980, "failed": 12, "total": 10_000}, "scores": {"done": 9_970, "failed": 0, "asked": 9_988}},
}


def test_a_workers_name_is_whole_in_a_terminal_of_eighty_columns() -> None:
    worker = {
        **{"worker": "edit+score-gpu3@gpu-box-17", "stage": "edit", "model": "qwen-image-edit-2511-lightning-8"},
        **{"step": 14, "steps": 40, "steps_per_second": 1.3, "doing": "", "jobs_per_hour": 120.0},
        **{"memory_used_bytes": 55_000_000_000, "memory_bytes": 141_000_000_000},
    }
    console = Console(file=io.StringIO(), width=80)

    console.print(workers_table({"workers": [worker]}))

    shown = console.file.getvalue()
    assert worker["worker"] in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_runs_id_is_whole_in_a_terminal_of_eighty_columns() -> None:
    console = Console(file=io.StringIO(), width=80)

    console.print(status_table([RUN]))

    assert RUN["run"] in console.file.getvalue()


def test_how_a_run_stands_fits_eighty_columns() -> None:
    first, second = run_lines([RUN])

    assert len(first) <= 80
    assert first.endswith("failed 12")
    assert second.endswith("scored by qwen3-vl-8b")
