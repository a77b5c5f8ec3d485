"""What is read from the image store before a job is done, and what comes of images that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.images import FolderStore, digest_of
from db.jobs import Failure, ScoreClaim
from db.tables import FailureKind
from tests.factories import png
from tests.workers.steps import edit_claim, score_claims
from workers.models.protocols import EditRequest, ScoreRequest
from workers.stint.outages import Outages
from workers.stint.reading import Reader


def test_an_edit_is_asked_for_with_all_that_the_claim_says(images: FolderStore) -> None:
    claim = replace(edit_claim(images.put(png(3, 2, "black"))), key="p-7", instruction="make it snow", seed=5)

    request = Reader(images).edit_request(claim)

    assert isinstance(request, EditRequest)
    assert (request.key, request.instruction, request.seed) == ("p-7", "make it snow", 5)
    assert (request.source.size, request.source.getpixel((0, 0))) == ((3, 2), (0, 0, 0))


def test_a_score_is_asked_for_with_all_that_the_claim_says(images: FolderStore) -> None:
    source, edited, reference = (images.put(png(colour=colour)) for colour in ("red", "lime", "blue"))
    (claim,) = score_claims(images, "p-7")
    claim = replace(claim, source_image=source, edited_image=edited, reference_image=reference, seed=5)

    (request,) = Reader(images).score_requests([claim])

    assert isinstance(request, ScoreRequest)
    assert (request.key, request.category, request.instruction) == ("p-7", "物理", "make it rain")
    assert (request.description, request.seed) == ("a square", 5)
    shown = [image and image.getpixel((0, 0)) for image in (request.source, request.edited, request.reference)]
    assert shown == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_a_score_is_asked_for_with_what_makes_it_of_criteria(images: FolderStore) -> None:
    (claim,) = score_claims(images, "a")

    (plain, made_of) = Reader(images).score_requests([claim, replace(claim, aggregate="0.5*sc + 0.5*pq")])

    assert isinstance(plain, ScoreRequest) and isinstance(made_of, ScoreRequest)
    assert plain.aggregate is None
    assert made_of.aggregate is not None and made_of.aggregate.names == {"sc", "pq"}


def test_a_score_without_a_reference_is_asked_for_without_one(images: FolderStore) -> None:
    (request,) = Reader(images).score_requests(score_claims(images, "a"))

    assert isinstance(request, ScoreRequest) and request.reference is None


def test_a_source_that_is_gone_or_no_image_is_a_failure(images: FolderStore) -> None:
    gone = Reader(images).edit_request(edit_claim(digest_of(b"never stored")))
    junk = Reader(images).edit_request(edit_claim(images.put(b"not an image")))

    assert isinstance(gone, Failure) and gone.kind is FailureKind.STORE
    assert isinstance(junk, Failure) and junk.kind is FailureKind.INPUT


@pytest.mark.parametrize("missing", ["source_image", "edited_image", "reference_image"])
def test_a_score_of_which_any_image_is_gone_fails_and_no_other_does(images: FolderStore, missing: str) -> None:
    first, second = score_claims(images, "a", "b")
    gone = ScoreClaim(**{**vars(first), missing: digest_of(b"never stored")})

    unreadable, readable = Reader(images).score_requests([gone, second])

    assert isinstance(unreadable, Failure) and (unreadable.kind, unreadable.again) == (FailureKind.STORE, True)
    assert isinstance(readable, ScoreRequest) and readable.key == "b"


def test_a_store_that_cannot_be_read_for_a_while_is_waited_for(images: FolderStore) -> None:
    waited: list[str] = []

    class Flaky(FolderStore):
        def get(self, digest: str) -> bytes:
            if not waited:
                raise OSError(5, "Input/output error")
            return super().get(digest)

    outlast = Outages(wait=waited.append, sleep=lambda _seconds: None).outlast
    request = Reader(Flaky(images.folder), outlast).edit_request(edit_claim(images.put(png())))

    assert isinstance(request, EditRequest)
    assert waited == ["waiting for the image store"]


def test_an_image_that_is_not_there_is_not_waited_for(images: FolderStore) -> None:
    waited: list[str] = []
    outlast = Outages(wait=waited.append, sleep=lambda _seconds: None).outlast

    missing = Reader(images, outlast).edit_request(edit_claim(digest_of(b"never stored")))

    assert isinstance(missing, Failure) and missing.kind is FailureKind.STORE
    assert waited == []
