"""What is asked, entered: once, completely, whoever asks and however often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from db.doorbells import ring_owed
from db.engine import reading
from db.errors import BenchmarkInvalid
from db.intake import enter_run, enter_samples, has_benchmark, run_id_of
from db.jobs import Doorbell
from db.ledger import Ledger
from db.queries import find_run
from db.tables import Stage, edits, run_scorers, runs, samples
from db.to_do import with_run
from tests.db.steps import job, job_ids, scorer_labels
from tests.db.test_ledger_threads import at_once
from tests.factories import configuration, content_digest, enter


def rows(start: int, stop: int) -> list[dict[str, Any]]:
    """Return the rows of samples p-<start> to p-<stop - 1>."""
    return [
        {
            "position": position,
            "key": f"p-{position}",
            "category": "物理",
            "instruction": "make it rain",
            "description": None,
            "source_image": "a" * 64,
            "reference_image": None,
        }
        for position in range(start, stop)
    ]


def entry(count: int) -> str:
    """Return the id of the benchmark of samples p-0 to p-<count - 1>."""
    return content_digest(rows(0, count))


def entered_keys(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(samples.c.key).order_by(samples.c.position)))


def count(engine: Engine, table: Any) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


# -- benchmarks --------------------------------------------------------------------------------------------------------


def test_a_benchmark_is_there_once_all_its_samples_are_in(engine: Engine) -> None:
    assert not has_benchmark(engine, entry(3))
    enter_samples(engine, entry(3), "made up", 3, [rows(0, 2), rows(2, 3)])
    assert has_benchmark(engine, entry(3))
    assert entered_keys(engine) == ["p-0", "p-1", "p-2"]


def test_an_interrupted_entry_is_not_complete_and_goes_on_where_it_stopped(engine: Engine) -> None:
    def interrupted() -> Iterator[list[dict[str, Any]]]:
        yield rows(0, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enter_samples(engine, entry(4), "made up", 4, interrupted())
    assert not has_benchmark(engine, entry(4))
    assert entered_keys(engine) == ["p-0", "p-1"]
    enter_samples(engine, entry(4), "made up", 4, [rows(0, 3), rows(3, 4)])  # cut elsewhere the second time
    assert has_benchmark(engine, entry(4))
    assert entered_keys(engine) == ["p-0", "p-1", "p-2", "p-3"]


def test_entering_a_benchmark_again_changes_nothing(engine: Engine) -> None:
    for _ in range(2):
        enter_samples(engine, entry(2), "made up", 2, [rows(0, 2)])
    assert entered_keys(engine) == ["p-0", "p-1"]


def test_two_benchmarks_may_hold_the_same_keys(engine: Engine) -> None:
    enter_samples(engine, entry(1), "made up", 1, [rows(0, 1)])
    enter_samples(engine, entry(2), "another", 2, [rows(0, 2)])
    assert sorted(entered_keys(engine)) == ["p-0", "p-0", "p-1"]


def test_a_benchmark_whose_samples_are_not_its_digests_is_forgotten_and_can_be_entered_rightly(engine: Engine) -> None:
    changed = [{**row, "instruction": "make it snow"} for row in rows(0, 2)]
    with pytest.raises(BenchmarkInvalid, match="changed while it was read"):
        enter_samples(engine, entry(3), "made up", 3, [changed, rows(2, 3)])
    assert not has_benchmark(engine, entry(3))
    assert entered_keys(engine) == []
    enter_samples(engine, entry(3), "made up", 3, [rows(0, 3)])
    assert has_benchmark(engine, entry(3))


def test_many_who_enter_the_same_benchmark_at_once_enter_it_once(engine: Engine) -> None:
    chunks = [rows(start, start + 2) for start in range(0, 20, 2)]
    at_once(4, lambda _number: enter_samples(engine, entry(20), "made up", 20, chunks))
    assert entered_keys(engine) == [f"p-{position}" for position in range(20)]
    assert has_benchmark(engine, entry(20))


# -- runs --------------------------------------------------------------------------------------------------------------


def test_the_same_benchmark_and_configuration_are_one_run(engine: Engine) -> None:
    enter_samples(engine, entry(2), "made up", 2, [rows(0, 2)])
    first = enter_run(engine, entry(2), configuration())
    second = enter_run(engine, entry(2), configuration())
    assert (first, second) == ((first[0], True), (first[0], False))
    assert [count(engine, table) for table in (runs, run_scorers, edits)] == [1, 1, 2]


def test_many_who_ask_for_the_same_run_at_once_get_one_run(engine: Engine) -> None:
    enter_samples(engine, entry(20), "made up", 20, [rows(0, 20)])
    entered = at_once(4, lambda _number: enter_run(engine, entry(20), configuration()))
    assert len({run_id for run_id, _new in entered}) == 1
    assert sum(new for _run_id, new in entered) == 1
    assert count(engine, edits) == 20


def test_asking_again_changes_the_priority_and_owes_what_waits_a_message_of_the_new_one(ledger: Ledger) -> None:
    run_id = enter(ledger, priority="low")
    ring_owed(ledger, lambda _doorbell: None)
    sent: list[Doorbell] = []

    assert enter(ledger, priority="high") == run_id
    ring_owed(ledger, sent.append)

    run = find_run(ledger.engine, run_id)
    assert run.priority == "high"
    assert [doorbell.priority for doorbell in sent] == ["high"]
    assert "priority" not in run.configuration


def test_asking_again_without_a_priority_leaves_it_as_it_is(ledger: Ledger) -> None:
    run_id = enter(ledger, priority="high")
    enter(ledger)
    assert find_run(ledger.engine, run_id).priority == "high"


def test_a_run_is_stored_with_every_default_written_out(ledger: Ledger) -> None:
    run = find_run(ledger.engine, enter(ledger))
    assert run.configuration["editor"]["options"]["width"] == 64
    assert (run.configuration["repeats"], run.configuration["seed"], run.configuration["limit"]) == (1, 0, None)


def test_a_run_has_one_edit_per_sample_and_repeat(ledger: Ledger) -> None:
    assert edits_of(ledger, enter(ledger, 2, repeats=3)) == [
        ("p-0", 0), ("p-0", 1), ("p-0", 2), ("p-1", 0), ("p-1", 1), ("p-1", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(("limit", "keys"), [(1, ["p-0"]), (2, ["p-0", "p-1"]), (9, ["p-0", "p-1", "p-2"])])
def test_a_limit_takes_the_first_samples_only(ledger: Ledger, limit: int, keys: list[str]) -> None:
    assert [key for key, _repeat in edits_of(ledger, enter(ledger, 3, limit=limit))] == keys


def test_a_run_takes_only_the_samples_of_its_benchmark(ledger: Ledger) -> None:
    enter(ledger, ["other"])
    assert edits_of(ledger, enter(ledger, ["p-0"])) == [("p-0", 0)]


def test_the_edits_of_a_new_run_wait_and_a_message_is_owed_for_each(ledger: Ledger) -> None:
    [edit] = job_ids(ledger, Stage.EDIT, enter(ledger))
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.attempt, row.attempts_allowed, row.published_at) == ("queued", 0, 3, None)


def test_a_run_keeps_its_scorers_in_their_order_with_their_batch_sizes(ledger: Ledger) -> None:
    run_id = enter(ledger, scorers=[{"name": "simulated", "batch_size": 4}, "reference"])
    assert scorer_labels(ledger.engine, run_id) == ["simulated", "reference"]
    with reading(ledger.engine) as connection:
        assert connection.scalars(select(run_scorers.c.batch_size).order_by(run_scorers.c.id)).all() == [4, 8]


@pytest.mark.parametrize(
    "given",
    [
        {"editor": "pillow"},
        {"editor": {"name": "simulated", "width": 32}},
        {"editor": {"name": "simulated", "label": "other"}},
        {"scorers": ["reference"]},
        {"scorers": ["simulated", "reference"]},
        {"scorers": [{"name": "simulated", "batch_size": 2}]},
        {"seed": 1},
        {"repeats": 2},
        {"limit": 1},
    ],
    ids=str,
)
def test_a_run_id_depends_on_all_that_shapes_a_result(given: dict[str, Any]) -> None:
    assert run_id_of(entry(1), configuration(**given)) != run_id_of(entry(1), configuration())


def test_a_run_id_depends_on_the_benchmark_and_not_on_the_priority() -> None:
    run_id = run_id_of(entry(1), configuration())
    assert run_id_of("c" * 64, configuration()) != run_id
    assert run_id_of(entry(1), configuration(priority="high")) == run_id


def edits_of(ledger: Ledger, run_id: str) -> list[tuple[str, int]]:
    """Return key and repeat of the run's edits, in benchmark order."""
    query = (
        select(samples.c.key, edits.c.repeat)
        .select_from(with_run(Stage.EDIT).join(samples, edits.c.sample_id == samples.c.id))
        .where(edits.c.run_id == run_id)
        .order_by(samples.c.position, edits.c.repeat)
    )
    with reading(ledger.engine) as connection:
        return [(key, repeat) for key, repeat in connection.execute(query)]


def test_categories_take_turns_each_in_proportion_to_its_size(engine: Engine) -> None:
    content = [{**row, "category": "社会" if row["position"] < 4 else "物理"} for row in rows(0, 6)]
    enter_samples(engine, content_digest(content), "two categories", 6, [content])

    run_id, _ = enter_run(engine, content_digest(content), configuration())

    with reading(engine) as connection:
        in_turns = select(samples.c.key).join(edits, edits.c.sample_id == samples.c.id).order_by(edits.c.id)
        keys = connection.scalars(in_turns.where(edits.c.run_id == run_id)).all()
    assert keys == ["p-0", "p-4", "p-1", "p-2", "p-5", "p-3"]
