"""From a benchmark file to rows and messages: the order of things, and what a second submission does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.errors import BenchmarkInvalid, ServiceUnreachable
from db.images import FolderStore
from db.jobs import Claimant, Doorbell
from db.ledger import Ledger
from db.owner import Owner, this_process
from db.prompts import OwnPrompt
from db.queries import all_runs, find_run, progress_of
from db.tables import Stage, State, edits
from producer.benchmark import open_benchmark
from producer.benchmark.sample import Fault, Sample
from producer.submit import submit
from tests.factories import configuration, original_file, pair


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is submitted does not depend on the database."""
    return sqlite_url


class Changing:
    """A benchmark whose file is replaced by another after the first reading."""

    def __init__(self, first: Path, then: Path) -> None:
        self.path = first
        self.name = "changing"
        self.prompts: dict[str, OwnPrompt] = {}
        self._files = iter((first, then))

    def __iter__(self) -> Iterator[Sample | Fault]:
        return iter(open_benchmark(next(self._files)))


class Broker:
    """Takes so many messages, then breaks down."""

    def __init__(self, takes: int = 1_000_000) -> None:
        self.takes = takes
        self.taken: list[Doorbell] = []

    def __call__(self, doorbell: Doorbell) -> None:
        if len(self.taken) == self.takes:
            raise ServiceUnreachable("the broker went away")
        self.taken.append(doorbell)


def two_files(folder: Path, *keys: str) -> list[Path]:
    """Write two benchmarks of one sample each."""
    for key in keys:
        (folder / key).mkdir()
    return [original_file(folder / key, {"categories": {"物理": [pair(key)]}}) for key in keys]


def test_messages_are_sent_when_rows_and_images_are_in(tmp_path: Path, ledger: Ledger, images: FolderStore) -> None:
    seen: list[tuple[int, int]] = []

    def look(doorbell: Doorbell) -> None:
        stored = [path for path in images.folder.rglob("*") if path.is_file()]
        seen.append((progress_of(ledger.engine, all_runs(ledger.engine)[0].id).edits[State.QUEUED], len(stored)))

    submit(open_benchmark(original_file(tmp_path)), configuration(), ledger=ledger, images=images, send=look)

    assert seen == [(2, 1), (2, 1)]


def test_no_run_begins_whose_last_image_could_not_be_stored(tmp_path: Path, ledger: Ledger) -> None:
    class Full(FolderStore):
        def put(self, content: bytes) -> str:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"):
        submit(
            open_benchmark(original_file(tmp_path, pairs=1)),
            configuration(),
            ledger=ledger,
            images=Full(tmp_path / "images"),
            send=lambda _: pytest.fail("sent"),
        )
    assert all_runs(ledger.engine) == []


def test_where_entering_breaks_down_no_thread_that_stores_images_is_left(
    tmp_path: Path, ledger: Ledger, images: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*given: object) -> None:
        next(given[-1])  # type: ignore[call-overload]  # the chunks of rows
        raise ServiceUnreachable("the database went away")

    monkeypatch.setattr("producer.submit.enter_samples", break_down)

    with pytest.raises(ServiceUnreachable) as caught:  # which holds the frames, and so all that they hold
        submit(open_benchmark(original_file(tmp_path)), configuration(), ledger=ledger, images=images, send=Broker())

    assert caught.value
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("store")] == []


def test_every_edit_has_one_message_with_the_priority_of_its_run(
    tmp_path: Path, ledger: Ledger, images: FolderStore
) -> None:
    broker = Broker()

    submit(
        open_benchmark(original_file(tmp_path)),
        configuration(priority="high", repeats=2),
        ledger=ledger,
        images=images,
        send=broker,
    )

    assert [(bell.stage, bell.priority) for bell in broker.taken] == [(Stage.EDIT, "high")] * 4
    assert len({bell.job_id for bell in broker.taken}) == 4


def test_where_the_broker_breaks_down_a_second_submission_sends_what_is_missing(
    tmp_path: Path, ledger: Ledger, images: FolderStore
) -> None:
    benchmark, first, second = open_benchmark(original_file(tmp_path, pairs=3)), Broker(takes=1), Broker()

    with pytest.raises(ServiceUnreachable):
        submit(benchmark, configuration(), ledger=ledger, images=images, send=first)
    submitted = submit(benchmark, configuration(), ledger=ledger, images=images, send=second)

    assert not submitted.new
    assert [bell.job_id for bell in first.taken + second.taken] == [1, 2, 3]


def test_a_second_submission_asks_again_for_what_was_cancelled(
    tmp_path: Path, ledger: Ledger, images: FolderStore
) -> None:
    benchmark, broker = open_benchmark(original_file(tmp_path)), Broker()
    run_id = submit(benchmark, configuration(), ledger=ledger, images=images, send=Broker()).run_id
    ledger.cancel(run_id)

    submit(benchmark, configuration(), ledger=ledger, images=images, send=broker)

    assert progress_of(ledger.engine, run_id).edits.by_state == {State.QUEUED: 2}
    assert len(broker.taken) == 2


@pytest.mark.parametrize("damage", [None, b"", b"half of it"], ids=["lost", "empty", "damaged"])
def test_images_that_the_store_has_no_longer_are_stored_again(
    tmp_path: Path, ledger: Ledger, images: FolderStore, damage: bytes | None
) -> None:
    benchmark = open_benchmark(original_file(tmp_path))
    submit(benchmark, configuration(), ledger=ledger, images=images, send=Broker())
    (stored,) = [path for path in images.folder.rglob("*") if path.is_file()]
    if damage is None:
        stored.unlink()
    else:
        stored.write_bytes(damage)

    submit(benchmark, configuration(), ledger=ledger, images=images, send=Broker())

    assert images.fault(stored.name) is None


def test_another_configuration_is_another_run_of_the_same_samples(
    tmp_path: Path, ledger: Ledger, images: FolderStore
) -> None:
    benchmark = open_benchmark(original_file(tmp_path))

    runs = [submit(benchmark, configuration(seed=seed), ledger=ledger, images=images, send=Broker()) for seed in (0, 1)]

    assert [one.new for one in runs] == [True, True]
    assert runs[0].run_id != runs[1].run_id
    assert len({find_run(ledger.engine, one.run_id).benchmark_id for one in runs}) == 1


@pytest.mark.parametrize("then", [None, "q"], ids=["to something bad", "to other samples"])
def test_a_file_that_changes_while_it_is_read_is_not_submitted(
    tmp_path: Path, ledger: Ledger, images: FolderStore, then: str | None
) -> None:
    first, second = two_files(tmp_path, "p", "q")
    if then is None:
        second.write_text('{"categories": {"物理": [5]}}')
    broker = Broker()

    with pytest.raises(BenchmarkInvalid, match="changed while it was read"):
        submit(Changing(first, second), configuration(), ledger=ledger, images=images, send=broker)

    assert all_runs(ledger.engine) == []
    assert broker.taken == []


def test_after_a_change_the_right_file_can_be_submitted(tmp_path: Path, ledger: Ledger, images: FolderStore) -> None:
    first, second = two_files(tmp_path, "p", "q")
    with pytest.raises(BenchmarkInvalid):
        submit(Changing(first, second), configuration(), ledger=ledger, images=images, send=Broker())

    run_id = submit(open_benchmark(first), configuration(), ledger=ledger, images=images, send=Broker()).run_id

    (claim,) = ledger.claim_edits(edits.c.id == 1, Claimant(Owner(this_process(), "delivery"), "edit-0"))
    assert (claim.run_id, claim.key) == (run_id, "p")
