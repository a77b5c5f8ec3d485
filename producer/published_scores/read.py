"""What a file of published scores says, editor by editor: brought together from its lines, and checked for gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.aggregate import Aggregate, CriterionMissing, read_aggregate
from db.errors import BenchmarkInvalid, WrongCall
from db.images import digest_of
from db.imported import Failed, ImportedEdit, ImportedRun, ImportedScore
from db.tables import FailureKind
from producer.benchmark.faults import Faults
from producer.benchmark.sample import Fault, FieldFault
from producer.benchmark.text_values import MAX_KEY, check_name
from producer.published_scores.lines import FAILURES, OF_THE_EDIT, OVERALL, ScoreLine, read_lines
from producer.published_scores.placeholders import placeholder

SPARSE, AT_LEAST = 50, 1000
"""Where repeats are numbered so that so many times the scores of the file would be asked for, a number is a mistake."""

NOT_IN_FILE = "the published scores do not have it"


@dataclass(frozen=True)
class Publication:
    """What is known of a file beside its lines; `name` is the benchmark's: files of one benchmark share it."""

    path: Path
    name: str
    scale: tuple[float, float]
    aggregate: Aggregate
    allow_missing: bool


def publication_of(
    path: Path, *, name: str | None, scale: tuple[float, float], aggregate: str | None, allow_missing: bool
) -> Publication:
    """Return what is known of the file; its name is the benchmark's unless one is given. Raises WrongCall."""
    least, most = scale
    if not 0 <= least < most <= 100:
        raise WrongCall(f"--scale {least:g} {most:g}: expected two numbers from 0 to 100, the smaller one first")
    try:
        checked_name = check_name(path.stem[:MAX_KEY] if name is None else name, "the benchmark's name")
        made_of = read_aggregate(aggregate or "mean", least, most)
        if not checked_name:
            raise FieldFault("the benchmark's name is empty")
    except FieldFault as fault:
        raise WrongCall(f"--name: {fault}") from fault
    except ValueError as error:
        raise WrongCall(f"--aggregate: {error}") from error
    return Publication(path, checked_name, scale, made_of, allow_missing)


# -- read --------------------------------------------------------------------------------------------------------------


@dataclass
class PublishedSample:
    """A sample as its lines name it."""

    position: int
    category: str
    key: str
    instruction: str | None = None
    source: str | None = None

    def row(self, benchmark: str) -> dict[str, Any]:
        """Return the sample as a row of the ledger."""
        return {
            "position": self.position,
            "key": self.key,
            "category": self.category,
            "instruction": self.instruction or "",
            "description": None,
            "source_image": digest_of(self.source_image(benchmark)),
            "reference_image": None,
        }

    def source_image(self, benchmark: str) -> bytes:
        """Return what stands for its source image: by that one's name, or by the sample's own."""
        named = ("source", self.source) if self.source else ("source of", self.category, self.key)
        return placeholder(benchmark, *named)

    def learn(self, line: ScoreLine) -> Iterator[Fault]:
        """Take in what a line says of the sample; yield a fault where an earlier line says something else."""
        for name in ("instruction", "source"):
            said, known = getattr(line, name), getattr(self, name)
            if known is None:
                setattr(self, name, said)
            elif said not in (None, known):
                which = f"sample {self.key!r} of category {self.category!r}"
                yield Fault(line.place, f"{name} of {which} is another one than on an earlier line")


_Place = tuple[int, int, str, int]
"""Where an answer belongs: position of its sample, repeat, scorer, judge repeat."""

_Answer = dict[str, ScoreLine]
"""The lines of one score, by dimension."""


@dataclass
class Published:
    """All that the file says: samples by category and key, editors by name, each in the order of the file."""

    samples: dict[tuple[str, str], PublishedSample] = field(default_factory=dict)
    editors: dict[str, PublishedEditor] = field(default_factory=dict)


def read_published(publication: Publication, faults: Faults) -> Published:
    """Read the file; what is wrong with it is added to the faults. Raises BenchmarkInvalid where it cannot be read."""
    found = Published()
    try:
        for line in read_lines(publication.path, publication.scale):
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
    first = answer.setdefault(line.dimension, line)
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
        judging = _Judging(self, publication, self.aggregated(), self._dimensions(), faults)
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
            aggregate=publication.aggregate.text if self.aggregated() else None,
            image=digest_of(self.edited_image(publication.name)),
            edits=edits,
        )

    def aggregated(self) -> set[str]:
        """Return the scorers that never give a score itself, only dimensions."""
        with_score = {place[2] for place, answer in self.answers.items() if OVERALL in answer}
        return {place[2] for place in self.answers} - with_score

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


class _Missing(Exception):
    """A score that is not in the file, or not whole; the message says what of it there is not."""


@dataclass(frozen=True)
class _Judging:
    """Makes scores of what one editor's lines say."""

    editor: PublishedEditor
    publication: Publication
    aggregated: set[str]
    dimensions: Mapping[str, Mapping[str, None]]
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
            return ImportedEdit(sample.position, repeat, _failed(failed), ())
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
            value, failed = self._outcome(scorer, answer)
        except _Missing as missing:
            value, failed = None, self._not_there(sample, place, answer, str(missing))
        return ImportedScore(scorer, judge_repeat, value, failed, _detail(answer))

    def _outcome(self, scorer: str, answer: _Answer) -> tuple[float | None, Failed | None]:
        """Return the value or why there is none: of a score with dimensions, one that failed fails it."""
        if not answer:
            raise _Missing(NOT_IN_FILE)
        overall = answer.get(OVERALL)
        if overall is not None and overall.value is not None:
            return overall.value, None
        if failing := [line for line in answer.values() if line.failure is not None]:
            return None, _failed(overall or failing[0])
        if scorer not in self.aggregated:
            raise _Missing("it has dimensions, but not the score itself, which this scorer gives elsewhere")
        if lacking := [name for name in self.dimensions[scorer] if name not in answer]:
            raise _Missing(f"it has no dimension {lacking[0]!r}, which this scorer gives elsewhere")
        try:
            return self.publication.aggregate.of(_criteria(answer)), None
        except CriterionMissing as missing:
            raise _Missing(f"it has {missing}") from missing

    def _not_there(self, sample: PublishedSample, place: _Place, answer: _Answer, reason: str) -> Failed:
        self.editor.missing += 1
        if not self.publication.allow_missing:
            _, repeat, scorer, judge_repeat = place
            numbers = f", repeat {repeat}" if repeat else ""
            numbers += f", judge repeat {judge_repeat}" if judge_repeat else ""
            lines = f"{next(iter(answer.values())).place}: " if answer else ""
            which = f"editor {self.editor.label!r}, sample {sample.key!r} ({sample.category}){numbers}"
            self.faults.add(f"{lines}{which}: no score by {scorer!r}: {reason} (--allow-missing enters it as failed)")
        return Failed(FailureKind.INPUT.value, reason)


def _failed(line: ScoreLine) -> Failed:
    assert line.failure is not None  # it is asked of no other
    return Failed(FAILURES[line.failure].value, line.reason or f"published as {line.failure}")


def _criteria(answer: _Answer) -> dict[str, float]:
    return {name: line.value for name, line in answer.items() if name != OVERALL and line.value is not None}


def _detail(answer: _Answer) -> dict[str, Any] | None:
    reasoning = next((line.reasoning for line in answer.values() if line.reasoning), "")
    criteria = _criteria(answer)
    reply = next(({"reply": line.reply} for line in answer.values() if line.reply), {})
    return {"reasoning": reasoning, "criteria": criteria, **reply} if reasoning or criteria or reply else None
