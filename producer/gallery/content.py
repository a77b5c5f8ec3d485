"""What the page shows of each sample, as plain data; JavaScript turns it into cards (`assets/data.js` reads it).

What is null, empty or false is left out. Images are places in `pictures`, scorers places in `scorers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from db.categories import ENGLISH_ALIASES
from db.samples import RecordedEdit, RecordedFailure, RecordedScore
from producer.gallery.matching import Matched
from producer.gallery.thumbnails import Picture
from producer.report.schema import Report

Scorer = tuple[str, tuple[float, float]]
"""A scorer's label and scale: only scores of one scale can be told apart by their difference."""


def gallery_content(
    reports: Sequence[Report], samples: Sequence[Matched], pictures: Mapping[str, Picture], originals: str | None
) -> dict[str, Any]:
    """Return the data of the page; `originals` is where full images lie as seen from the page, None for nowhere."""
    scorers = scorers_of(reports)
    places = {digest: place for place, digest in enumerate(pictures)}
    writers = [_Writer(report, scorers, places) for report in reports]
    categories = dict.fromkeys(one.sample.category for one in samples)
    return {
        "runs": [{"id": report.run, "editor": report.editor} for report in reports],
        "scorers": [{"label": label, "scale": scale} for label, scale in scorers],
        "categories": [_given(name=name, alias=ENGLISH_ALIASES.get(name)) for name in categories],
        "originals": originals,
        "pictures": [_picture(digest, picture) for digest, picture in pictures.items()],
        "samples": [_sample(one, writers, places) for one in samples],
    }


def scorers_of(reports: Sequence[Report]) -> list[Scorer]:
    """Return the scorers of all reports, in the order in which they come."""
    return list(dict.fromkeys((scorer.scorer, scorer.scale) for report in reports for scorer in report.scorers))


def _given(**fields: Any) -> dict[str, Any]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", False, {}, [])}


def _picture(digest: str, picture: Picture) -> dict[str, Any]:
    if picture.fault is not None:
        return {"digest": digest, "fault": picture.fault}
    return {"digest": digest, "width": picture.width, "height": picture.height}


def _sample(one: Matched, writers: Sequence[_Writer], places: Mapping[str, int]) -> dict[str, Any]:
    sample = one.sample
    by_run = zip(writers, one.edits_by_run, strict=True)
    return {
        "id": one.id,
        "category": sample.category,
        "key": sample.key,
        "instruction": sample.instruction,
        "source": places[sample.source_image],
        "runs": [None if edits is None else [writer.edit(edit) for edit in edits] for writer, edits in by_run],
        **_given(
            more_sources=[places[digest] for digest in sample.more_sources],
            description=sample.description,
            reference_text=sample.reference_text,
        ),
        **({"reference": places[sample.reference_image]} if sample.reference_image else {}),
    }


class _Writer:
    """Writes the edits of one run as plain data."""

    def __init__(self, report: Report, scorers: Sequence[Scorer], pictures: Mapping[str, int]) -> None:
        self._pictures = pictures
        self._scorers = {scorer.scorer: scorers.index((scorer.scorer, scorer.scale)) for scorer in report.scorers}

    def edit(self, edit: RecordedEdit) -> dict[str, Any]:
        return {
            "state": edit.state,
            **({"image": self._pictures[edit.image]} if edit.image else {}),
            **_given(failure=_failure(edit.failure), seconds=edit.seconds, retried=edit.retried),
            "scores": [self._score(score) for score in edit.scores if score.scorer in self._scorers],
        }

    def _score(self, score: RecordedScore) -> dict[str, Any]:
        return {
            "scorer": self._scorers[score.scorer],
            "state": score.state,
            **({} if score.value is None else {"value": score.value}),
            **_given(
                criteria=score.criteria,
                reasoning=score.reasoning,
                failure=_failure(score.failure),
                seconds=score.seconds,
                retried=score.retried,
            ),
        }


def _failure(failure: RecordedFailure | None) -> dict[str, Any] | None:
    return None if failure is None else _given(kind=failure.kind, reason=failure.reason, reply=failure.reply)
