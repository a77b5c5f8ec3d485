"""Which samples of several runs are the same."""

from __future__ import annotations

from sqlalchemy import Engine

from db.samples import RecordedSample, recorded_samples
from producer.gallery.matching import matched
from tests.browser.scene import Edit, Sample, Scorer, enter


def recorded(engine: Engine, run: str, samples: list[Sample]) -> list[RecordedSample]:
    enter(engine, run * 12, samples, [Scorer("s")])
    return recorded_samples(engine, run * 12)


def test_samples_are_the_same_by_category_key_source_and_instruction(engine: Engine) -> None:
    one, two, edits = "1" * 64, "2" * 64, [Edit()]
    ours = [Sample("same", one, edits), Sample("other source", one, edits), Sample("other words", one, edits)]
    theirs = [
        Sample("other words", one, edits, instruction="else"),
        Sample("other source", two, edits),
        Sample("same", one, edits, category="社会"),
        Sample("same", one, edits, description="described otherwise"),
    ]
    found = matched([recorded(engine, "a", ours), recorded(engine, "b", theirs)])

    both = [sample.sample.key for sample in found if None not in sample.edits_by_run]
    assert (both, len(found), len({sample.id for sample in found})) == (["same"], 6, 6)


def test_samples_with_other_further_sources_are_different_ones(engine: Engine) -> None:
    one, two, three, edits = "1" * 64, "2" * 64, "3" * 64, [Edit()]
    ours = [
        Sample("same", one, edits, more_sources=[two, three]),
        Sample("turned", one, edits, more_sources=[two, three]),
    ]
    theirs = [
        Sample("same", one, edits, more_sources=[two, three]),
        Sample("turned", one, edits, more_sources=[three, two]),
    ]
    found = matched([recorded(engine, "a", ours), recorded(engine, "b", theirs)])

    both = [sample.sample.key for sample in found if None not in sample.edits_by_run]
    assert (both, len(found)) == (["same"], 3)
