"""What a file of published scores says, editor by editor: brought together from its lines, and checked for gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.errors import BenchmarkInvalid
from db.images import digest_of
from db.imported import Failed, ImportedEdit, ImportedRun, ImportedScore
from db.tables import FailureKind
from producer.benchmark.faults import Faults
from producer.benchmark.sample import Fault
from producer.published_scores.by_dimensions import ByDimensions
from producer.published_scores.by_rubric import ByRubric
from producer.published_scores.lines import OF_THE_EDIT, OVERALL, ScoreLine, read_lines
from producer.published_scores.outcome import Missing, Outcome
from producer.published_scores.outcome import failed as why_failed
from producer.published_scores.placeholders import placeholder
from producer.published_scores.publication import Publication
from producer.published_scores.samples import PublishedSample

SPARSE, AT_LEAST = 50, 1000
"""Where repeats are numbered so that so many times the scores of the file would be asked for, a number is a mistake."""


_Place = tuple[int, int, str, int]
"""Where an answer belongs: position of its sample, repeat, scorer, judge repeat."""

_Answer = dict[str, ScoreLine]
"""The lines of one score, by what they are about."""


@dataclass
class Published:
    """All that the file says: samples by category and key, editors by name, each in the order of the file."""

    samples: dict[tuple[str, str], PublishedSample] = field(default_factory=dict)
    editors: dict[str, PublishedEditor] = field(default_factory=dict)


def read_published(publication: Publication, faults: Faults) -> Published:
    """Read the file; what is wrong with it is added to the faults. Raises BenchmarkInvalid where it cannot be read."""
    found = Published()
    try:
        for line in read_lines(publication.path, publication.reader()):
            if isinstance(line, Fault):
                faults.add(line)
            else:
                faults.add(*_take_in(line, found))
    except OSError as error:
        raise BenchmarkInvalid(f"{publication.path}: cannot be read: {error.strerror}") from error
    return found


def _take_in(line: ScoreLine, found: Published) -> Iterator[Fault]:
    named = (line.category, line.sample)
    sample = found.samples.setdefault(named, PublishedSample(len(found.samples), *named))
    yield from sample.learn(line)
    editor = found.editors.setdefault(line.editor, PublishedEditor(line.editor))
    answer = editor.answers.setdefault((sample.position, line.repeat, line.scorer, line.judge_repeat), {})
    first = answer.setdefault(line.about, line)
    if first is not line:
        yield Fault(line.place, f"says again what {first.place} says of the same score")


# -- one editor --------------------------------------------------------------------------------------------------------


@dataclass
class PublishedEditor:
    """All that the file says of one editor; `missing` counts the scores that it does not have."""

    label: str
    answers: dict[_Place, _Answer] = field(default_factory=dict)
    missing: int = 0

    def edited_image(self, benchmark: str) -> bytes:
        """Return what stands for each of its images: nobody tells them apart, and one file does for thousands."""
        return placeholder(benchmark, "edited by", self.label)

    def run(self, publication: Publication, samples: Mapping[Any, PublishedSample], faults: Faults) -> ImportedRun:
        """Return the run, complete; every sample of the file is in it. What is wrong with it is added to the faults."""
        repeats = 1 + max(repeat for _, repeat, _, _ in self.answers)
        scorers = self._scorers()
        asked = len(samples) * repeats * sum(scorers.values())
        if asked > SPARSE * len(self.answers) + AT_LEAST:
            numbered = f"{len(samples):,} samples, {repeats:,} repeats and {sum(scorers.values()):,} judgements"
            faults.add(f"editor {self.label!r}: {numbered} are far more than the file has: is a repeat misnumbered?")
            repeats = 0
        judging = _Judging(self, self._by(publication, faults), publication.allow_missing, faults)
        failed_edits = self._failed_edits()
        edits = [
            judging.edit(sample, repeat, scorers, failed_edits.get((sample.position, repeat)))
            for sample in samples.values()
            for repeat in range(repeats)
        ]
        return ImportedRun(
            editor=self.label,
            scorers=scorers,
            repeats=repeats,
            scale=publication.scale,
            aggregate=publication.aggregate.text if self.aggregated() and publication.recipe is None else None,
            image=digest_of(self.edited_image(publication.name)),
            edits=edits,
            recipe=publication.recipe,
        )

    def aggregated(self) -> set[str]:
        """Return the scorers that never give a score itself, only dimensions."""
        with_score = {place[2] for place, answer in self.answers.items() if OVERALL in answer}
        return {place[2] for place in self.answers} - with_score

    def _by(self, publication: Publication, faults: Faults) -> ByDimensions | ByRubric:
        if publication.recipe is not None:
            return ByRubric(publication.recipe.rubric, faults)
        return ByDimensions(publication.aggregate, self.aggregated(), self._dimensions())

    def _scorers(self) -> dict[str, int]:
        """Return how often each scorer judged an edit, in the order in which the file names them."""
        scorers: dict[str, int] = {}
        for _, _, scorer, judge_repeat in self.answers:
            scorers[scorer] = max(scorers.get(scorer, 0), judge_repeat + 1)
        return scorers

    def _dimensions(self) -> dict[str, dict[str, None]]:
        """Return the dimensions of each scorer, in the order in which the file names them."""
        dimensions: dict[str, dict[str, None]] = {}
        for (_, _, scorer, _), answer in self.answers.items():
            named = (name for name, line in answer.items() if line.value is not None)
            dimensions.setdefault(scorer, {}).update(dict.fromkeys(named))
        return dimensions

    def _failed_edits(self) -> dict[tuple[int, int], ScoreLine]:
        failed: dict[tuple[int, int], ScoreLine] = {}
        for (position, repeat, _, _), answer in self.answers.items():
            for line in answer.values():
                if line.failure in OF_THE_EDIT:
                    failed.setdefault((position, repeat), line)
        return failed


@dataclass(frozen=True)
class _Judging:
    """Makes scores of what one editor's lines say."""

    editor: PublishedEditor
    by: ByDimensions | ByRubric
    allow_missing: bool
    faults: Faults

    def edit(
        self, sample: PublishedSample, repeat: int, scorers: Mapping[str, int], failed: ScoreLine | None
    ) -> ImportedEdit:
        places = [
            (sample.position, repeat, scorer, judge_repeat)
            for scorer, count in scorers.items()
            for judge_repeat in range(count)
        ]
        if failed is not None:
            self.faults.add(*self._in_spite_of(failed, places))
            return ImportedEdit(sample.position, repeat, why_failed(failed), ())
        return ImportedEdit(sample.position, repeat, None, [self._score(sample, place) for place in places])

    def _in_spite_of(self, failed: ScoreLine, places: Sequence[_Place]) -> Iterator[Fault]:
        for place in places:
            for line in self.editor.answers.get(place, {}).values():
                if line.failure not in OF_THE_EDIT:
                    what = f"scores an edit that has failed, as {failed.place} says"
                    yield Fault(line.place, what)

    def _score(self, sample: PublishedSample, place: _Place) -> ImportedScore:
        *_, scorer, judge_repeat = place
        answer = self.editor.answers.get(place, {})
        try:
            outcome = self._outcome(sample, scorer, answer)
        except Missing as missing:
            outcome = Outcome(None, self._not_there(sample, place, answer, str(missing)), missing.detail)
        return ImportedScore(scorer, judge_repeat, outcome.value, outcome.failed, outcome.detail)

    def _outcome(self, sample: PublishedSample, scorer: str, answer: _Answer) -> Outcome:
        if isinstance(self.by, ByRubric):
            return self.by.outcome(sample, answer)
        return self.by.outcome(scorer, answer)

    def _not_there(self, sample: PublishedSample, place: _Place, answer: _Answer, reason: str) -> Failed:
        self.editor.missing += 1
        if not self.allow_missing:
            _, repeat, scorer, judge_repeat = place
            numbers = f", repeat {repeat}" if repeat else ""
            numbers += f", judge repeat {judge_repeat}" if judge_repeat else ""
            lines = f"{next(iter(answer.values())).place}: " if answer else ""
            which = f"editor {self.editor.label!r}, sample {sample.key!r} ({sample.category}){numbers}"
            self.faults.add(f"{lines}{which}: no score by {scorer!r}: {reason} (--allow-missing enters it as failed)")
        return Failed(FailureKind.INPUT.value, reason)
