"""What each worker is at, a row each: who has a row, and what stands in it."""

from __future__ import annotations

from typing import Any

from db.activity import Activity
from db.lately import Finished, Lately
from db.owner import Process
from db.presence import Present
from db.queries import Worker
from db.tables import Health, Stage
from producer.standing.rows import Row, rows_of

RUN, OTHER_RUN = "0123456789ab", "ba9876543210"
QUIET = Lately(now=1000.0, finished=(), unparsed=0)


def present(name: str, **given: Any) -> Present:
    """A worker that serves this run and has just spoken."""
    known = {
        "process": Process("host/1", 7, "100"),
        "gpu": "",
        "health": Health.SERVING,
        "reason": None,
        "since": 0.0,
        "seconds_ago": 1.0,
        "stage": Stage.EDIT,
        "run_id": RUN,
        "idle": False,
    }
    return Present(name=name, **{**known, **given})


def rows(*present: Present, working: list[Worker] | None = None, heard: dict[str, Activity] | None = None) -> list[Row]:
    return rows_of(RUN, working or [], present, QUIET, (heard or {}).get)


def test_a_worker_is_shown_by_the_gpu_that_the_ledger_knows() -> None:
    (row,) = rows(present("edit-gpu2@h", gpu="2"), working=[Worker("edit-gpu2@h", Stage.EDIT, "qwen", ["a"], 990.0)])

    assert (row.gpu, row.stage, row.model, row.samples, row.since) == ("2", Stage.EDIT, "qwen", ["a"], 990.0)


def test_a_worker_that_is_about_to_change_stages_has_one_row_of_what_it_is_at() -> None:
    claimed = [Worker("w@h", Stage.EDIT, "qwen", ["a"], 990.0), Worker("w@h", Stage.SCORE, "judge", ["b"], 995.0)]

    (unheard,) = rows(working=claimed)
    (heard,) = rows(working=claimed, heard={"w@h": Activity("", "scoring", "judge", "b")})

    assert (unheard.stage, heard.stage) == (Stage.EDIT, Stage.SCORE)


def test_of_edits_claimed_ahead_the_one_under_way_is_shown() -> None:
    claimed = [Worker("w@h", Stage.EDIT, "qwen", ["a", "b"], 990.0)]

    (row,) = rows(working=claimed, heard={"w@h": Activity("", "editing", "qwen", "b", 1, 4)})

    assert row.samples == ["b"]


def test_who_has_no_job_has_a_row_that_says_why() -> None:
    found = rows(
        present("w1@h", stage=None, run_id=None),
        present("w2@h", idle=True),
        present("w3@h", run_id=OTHER_RUN),
        present("w4@h", run_id=OTHER_RUN, idle=True),
        present("w5@h"),
        heard={"w5@h": Activity("5", "loading", "judge")},
    )

    assert [(row.worker, row.doing, row.model) for row in found] == [
        ("w1@h", "begins", ""),
        ("w2@h", "waits", ""),
        ("w3@h", f"at run {OTHER_RUN}", ""),
        ("w4@h", "waits", ""),
        ("w5@h", "loading", "judge"),
    ]


def test_what_was_said_of_a_job_that_is_over_is_not_shown_of_a_worker_without_one() -> None:
    (row,) = rows(present("w@h", idle=True), heard={"w@h": Activity("", "editing", "qwen", "a", 4, 4)})

    assert (row.doing, row.model) == ("waits", "")


def test_who_has_been_silent_for_long_has_no_row() -> None:
    assert rows(present("w@h", seconds_ago=1000.0)) == []


def test_the_sick_come_last_with_their_reason() -> None:
    found = rows(present("w1@h", health=Health.SICK, reason="CUDA error", gpu="1"), present("w2@h"))

    assert [(row.worker, row.sick) for row in found] == [("w2@h", None), ("w1@h", "CUDA error")]


def test_gpu_2_comes_before_gpu_10_and_hosts_stay_together() -> None:
    names = ["gpu10@a", "gpu2@a", "gpu0@b"]

    assert [row.worker for row in rows(*map(present, names))] == ["gpu2@a", "gpu10@a", "gpu0@b"]


def test_a_worker_goes_as_fast_as_at_the_stage_it_is_at() -> None:
    finished = [Finished("w@h", Stage.EDIT, 5, 900.0, 1000.0), Finished("w@h", Stage.SCORE, 50, 900.0, 1000.0)]
    claimed = [Worker("w@h", Stage.SCORE, "judge", ["a"], 999.0)]

    (row,) = rows_of(RUN, claimed, [], Lately(1000.0, finished, 0))

    assert row.jobs_per_second == 0.5
