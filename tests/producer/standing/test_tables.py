"""What a person reads of where runs stand."""

from __future__ import annotations

import io

from rich.console import Console

from producer.standing.tables import workers_table


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
