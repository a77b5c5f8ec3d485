"""Keeping what came of jobs: in the store, then in the ledger, then told to the broker; and what is lost of it."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from sqlalchemy.exc import IntegrityError

from db.decode import decode_image
from db.doorbells import take_owed
from db.images import FolderStore
from db.jobs import Doorbell, Failure
from db.ledger import Ledger
from db.queries import environments_of, progress_of
from db.tables import FailureKind, Stage, State
from tests.conftest import Clock
from tests.db.steps import claimed, claimed_scores, job, job_ids, owner, queued_edit, queued_scores
from tests.factories import enter, png
from tests.workers.steps import Hosting, Inverter
from workers.models.protocols import EditedImage, EditRequest
from workers.stint.keeping import Keeper
from workers.stint.outages import Outages
from workers.stint.perform import Made, Scored, make_edit
from workers.stint.reading import Reader
from workers.stint.ringing import Ringer

BLACK = Image.new("RGB", (3, 2), "black")
FAULT = Failure(FailureKind.INPUT, "unknown instruction")


class Broker:
    """Takes every message, or raises this."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.taken: list[Doorbell] = []

    def send(self, doorbell: Doorbell) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append(doorbell)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def keeper(ledger: Ledger, images: FolderStore, broker: Broker) -> Keeper:
    return Keeper(ledger, images, Ringer(ledger, broker.send))


# -- images ------------------------------------------------------------------------------------------------------------


def test_an_edited_image_is_in_the_store_when_the_ledger_names_it(
    keeper: Keeper, ledger: Ledger, images: FolderStore
) -> None:
    claim = claimed(ledger, queued_edit(ledger))

    keeper.keep([(claim, Made(BLACK, 2.5, {"steps": 1}))])

    row = job(ledger, Stage.EDIT, claim.job_id)
    assert (row.state, row.seconds, row.detail) == (State.DONE, 2.5, {"steps": 1})
    stored = decode_image(images.get(row.image))
    assert (stored.size, stored.getpixel((0, 0))) == ((3, 2), (0, 0, 0))


def test_the_same_pixels_are_stored_as_the_same_bytes(keeper: Keeper, ledger: Ledger) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))

    keeper.keep([(claimed(ledger, first), Made(BLACK, 1.0)), (claimed(ledger, second), Made(BLACK.copy(), 1.0))])

    assert job(ledger, Stage.EDIT, first).image == job(ledger, Stage.EDIT, second).image


def test_a_transparent_edit_is_stored_as_it_looks_on_white(keeper: Keeper, ledger: Ledger, images: FolderStore) -> None:
    claim = claimed(ledger, queued_edit(ledger))

    keeper.keep([(claim, Made(Image.new("RGBA", (2, 2), (255, 0, 0, 0)), 1.0))])

    stored = images.get(job(ledger, Stage.EDIT, claim.job_id).image)
    assert decode_image(stored).getpixel((0, 0)) == (255, 255, 255)


def test_an_image_that_cannot_be_encoded_fails_its_own_edit(keeper: Keeper, ledger: Ledger) -> None:
    truncated = Image.open(io.BytesIO(png(64, 64)[:-30]))  # its pixels are read when it is encoded
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))

    keeper.keep([(claimed(ledger, first), Made(truncated, 1.0)), (claimed(ledger, second), Made(BLACK, 1.0))])

    assert "truncated" in job(ledger, Stage.EDIT, first).last_words
    assert job(ledger, Stage.EDIT, second).state == State.DONE


def test_a_store_that_is_gone_for_a_while_costs_neither_the_source_nor_the_finished_image(
    ledger: Ledger, images: FolderStore, broker: Broker
) -> None:
    waited: list[str] = []

    class Flaky(FolderStore):
        def put(self, content: bytes) -> str:
            if len(waited) < 2:
                raise OSError(28, "No space left on device")
            return super().put(content)

        def get(self, digest: str) -> bytes:
            if not waited:
                raise OSError(5, "Input/output error")
            return super().get(digest)

    edits: list[str] = []

    class Counting(Inverter):
        def edit(self, request: EditRequest) -> EditedImage:
            edits.append(request.key)
            return super().edit(request)

    images.put(png())
    flaky, outlast = Flaky(images.folder), Outages(wait=waited.append, sleep=lambda _seconds: None).outlast
    claim = claimed(ledger, queued_edit(ledger))
    outcome = make_edit(claim, Reader(flaky, outlast).edit_request(claim), Hosting(Counting()))
    Keeper(ledger, flaky, Ringer(ledger, broker.send), outlast=outlast).keep([(claim, outcome)])

    assert job(ledger, Stage.EDIT, claim.job_id).state == State.DONE
    assert waited == ["waiting for the image store"] * 2
    assert edits == ["p-0"]


def test_a_store_that_takes_no_image_is_a_failure_that_may_pass(
    ledger: Ledger, images: FolderStore, broker: Broker
) -> None:
    class Full(FolderStore):
        def put(self, content: bytes) -> str:
            raise OSError(28, "No space left on device")

    claim = claimed(ledger, queued_edit(ledger))
    Keeper(ledger, Full(images.folder), Ringer(ledger, broker.send)).keep([(claim, Made(BLACK, 1.0))])

    row = job(ledger, Stage.EDIT, claim.job_id)
    assert (row.state, row.last_words) == (State.QUEUED, "[Errno 28] No space left on device")


# -- outcomes ----------------------------------------------------------------------------------------------------------


def test_what_comes_at_once_is_kept_each_as_what_it_is(keeper: Keeper, ledger: Ledger, clock: Clock) -> None:
    first, second, third = claimed_scores(ledger, queued_scores(ledger, 3))

    keeper.keep(
        [
            (first, Scored(7.5, 0.5, {"reason": "good"})),
            (second, FAULT),
            (third, Failure(FailureKind.SERVICE, "503", again=True)),
        ]
    )

    rows = [job(ledger, Stage.SCORE, claim.job_id) for claim in (first, second, third)]
    assert [(row.state, row.value) for row in rows] == [
        (State.DONE, 7.5),
        (State.FAILED, None),
        (State.QUEUED, None),
    ]
    assert (rows[0].seconds, rows[0].detail) == (0.5, {"reason": "good"})
    assert (rows[1].failure_kind, rows[1].failure_reason) == (FailureKind.INPUT, "unknown instruction")
    assert rows[2].not_before > clock.now


def test_an_outcome_that_no_database_takes_undoes_none_before_it(keeper: Keeper, ledger: Ledger) -> None:
    claims = claimed_scores(ledger, queued_scores(ledger, 3))

    with pytest.raises(IntegrityError):
        keeper.keep([(claims[0], Scored(5.0, 1.0)), (claims[1], Scored(110.0, 1.0)), (claims[2], Scored(6.0, 1.0))])

    states = [job(ledger, Stage.SCORE, claim.job_id).state for claim in claims]
    assert states == [State.DONE, State.RUNNING, State.RUNNING]


def test_what_nobody_wants_any_more_is_dropped_and_the_rest_kept(keeper: Keeper, ledger: Ledger, clock: Clock) -> None:
    lost, kept = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    late = claimed(ledger, lost)
    clock.now += 30
    ledger.hand_back_lost()
    claimed(ledger, lost, owner(2))

    keeper.keep([(late, Made(BLACK, 1.0)), (claimed(ledger, kept), Made(BLACK, 1.0))])

    row = job(ledger, Stage.EDIT, lost)
    assert (row.state, row.owner) == (State.RUNNING, str(owner(2)))
    assert job(ledger, Stage.EDIT, kept).state == State.DONE


def test_where_an_outcome_came_about_is_entered_with_it(keeper: Keeper, ledger: Ledger) -> None:
    first, second = claimed_scores(ledger, queued_scores(ledger, 2))
    run_id = first.run_id

    keeper.keep([(first, Scored(5.0, 1.0, facts={"gpu": "A"})), (second, Scored(6.0, 1.0, facts={"gpu": "B"}))])

    assert {known["facts"]["gpu"] for known in environments_of(ledger.engine, run_id)} == {"A", "B"}
    assert job(ledger, Stage.SCORE, first.job_id).environment != job(ledger, Stage.SCORE, second.job_id).environment


# -- messages ----------------------------------------------------------------------------------------------------------


def test_the_scores_of_every_edit_that_was_kept_are_told_to_the_broker(
    keeper: Keeper, ledger: Ledger, broker: Broker
) -> None:
    run_id = enter(ledger, 2, scorers=["simulated", "reference"], priority="high")
    first, second = job_ids(ledger, Stage.EDIT, run_id)

    keeper.keep([(claimed(ledger, first), Made(BLACK, 1.0)), (claimed(ledger, second), Made(BLACK, 1.0))])

    assert broker.taken == [Doorbell(Stage.SCORE, score, "high") for score in job_ids(ledger, Stage.SCORE, run_id)]
    assert len(broker.taken) == 4


def test_a_broker_that_is_gone_costs_no_outcome_and_is_owed_the_messages(ledger: Ledger, images: FolderStore) -> None:
    run_id = enter(ledger, 2)
    claims = [claimed(ledger, edit) for edit in job_ids(ledger, Stage.EDIT, run_id)]

    Keeper(ledger, images, Ringer(ledger, Broker(ConnectionRefusedError("no broker")).send)).keep(
        [(claim, Made(BLACK, 1.0)) for claim in claims]
    )

    assert progress_of(ledger.engine, run_id).edits[State.DONE] == 2
    owed = [doorbell.job_id for doorbell in take_owed(ledger, Stage.SCORE)]
    assert owed == job_ids(ledger, Stage.SCORE, run_id)


def test_who_may_wait_for_a_broker_is_patient_meanwhile(ledger: Ledger, images: FolderStore) -> None:
    seen: list[str] = []

    class Patience:
        def __enter__(self) -> None:
            seen.append("in")

        def __exit__(self, *_: object) -> None:
            seen.append("out")

    claim = claimed(ledger, queued_edit(ledger))
    ringer = Ringer(ledger, lambda _doorbell: seen.append("sent"), patient=Patience)
    Keeper(ledger, images, ringer).keep([(claim, Made(BLACK, 1.0))])

    assert seen == ["in", "sent", "out"]
