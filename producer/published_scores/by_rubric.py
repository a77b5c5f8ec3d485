"""Scores of files that follow a recipe: replies are read as its rubric asks for them, what was not given is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from db.aggregate import CriterionMissing
from db.answers import joined, read_answer
from db.imported import Failed
from db.replies import Unreadable
from db.rubric import Rubric, RubricQuestion
from db.tables import FailureKind
from producer.benchmark.faults import Faults
from producer.benchmark.sample import Fault
from producer.published_scores.lines import ScoreLine
from producer.published_scores.outcome import NOT_IN_FILE, Missing, Outcome, detail_of, failed
from producer.published_scores.samples import PublishedSample


class ByRubric:
    """Makes scores of lines; what does not fit the rubric is added to the faults."""

    def __init__(self, rubric: Rubric, faults: Faults) -> None:
        self._rubric, self._faults = rubric, faults
        self._rules: dict[tuple[str, frozenset[str]], _Rules] = {}

    def outcome(self, sample: PublishedSample, answer: Mapping[str, ScoreLine]) -> Outcome:
        """Return what the lines of one score come to; nothing where there are faults. Raises Missing."""
        if not answer:
            raise Missing(NOT_IN_FILE)
        hearing = _Hearing(sample, self._rules_of(sample))
        for line in hearing.rules.in_order(answer.values()):
            hearing.hear(line)
        if hearing.faults:
            self._faults.add(*hearing.faults)
            return Outcome(None, None, None)
        return self._outcome(sample, hearing)

    def _outcome(self, sample: PublishedSample, heard: _Hearing) -> Outcome:
        score = self._rubric.score
        failure = heard.failing.get(score) or next(iter(heard.failing.values()), None)
        if failure is not None and score not in heard.numbers:
            return Outcome(None, failure, heard.detail(heard.numbers))
        try:
            values = self._rubric.completed(sample.category, sample.there, heard.numbers)
        except CriterionMissing as missing:
            raise Missing(f"it has {missing}", heard.detail(heard.numbers)) from missing
        return Outcome(values[score], None, heard.detail(values))

    def _rules_of(self, sample: PublishedSample) -> _Rules:
        kind = (sample.category, sample.there)
        if kind not in self._rules:
            asked = {question.name: question for question in self._rubric.asked(*kind)}
            given = self._rubric.given(*kind)
            self._rules[kind] = _Rules(asked, [name for name in self._rubric.scales() if name in given])
        return self._rules[kind]


@dataclass(frozen=True)
class _Rules:
    """What the rubric asks of one kind of samples, and to which numbers it comes."""

    asked: Mapping[str, RubricQuestion]
    dimensions: list[str]

    def in_order(self, lines: Iterable[ScoreLine]) -> list[ScoreLine]:
        """Return the lines, those about questions in the order in which these are asked."""
        places = {name: place for place, name in enumerate(self.asked)}
        return sorted(lines, key=lambda line: places.get(line.question or "", 0))

    def question_of(self, line: ScoreLine) -> RubricQuestion | None:
        """Return the question that a line is about; None where that is none, or cannot be told."""
        if line.question:
            return self.asked.get(line.question)
        return next(iter(self.asked.values())) if len(self.asked) == 1 else None


@dataclass
class _Hearing:
    """Takes the lines of one score: its numbers, why some of them are not there, and what does not fit."""

    sample: PublishedSample
    rules: _Rules
    numbers: dict[str, float] = field(default_factory=dict)
    failing: dict[str, Failed] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _told: dict[str, ScoreLine] = field(default_factory=dict)
    _reasons: list[tuple[str, str]] = field(default_factory=list)
    _unread: str = ""

    def hear(self, line: ScoreLine) -> None:
        """Take a line."""
        if not self.rules.asked:
            self._fault(line, f"the recipe asks nothing of {self._which()}")
        elif line.question is None:
            self._hear_dimension(line)
        elif (question := self.rules.question_of(line)) is not None:
            self._hear_question(line, question)
        else:
            asked = ", ".join(self.rules.asked)
            what = f"{line.question!r} is not asked of" if line.question else "is missing, and there are several for"
            self._fault(line, f"question: {what} {self._which()}: {asked}")

    def detail(self, criteria: Mapping[str, float]) -> Mapping[str, object] | None:
        """Return what is kept beside the score, with these numbers."""
        return detail_of(joined(self._reasons), dict(criteria), self._unread)

    def _hear_dimension(self, line: ScoreLine) -> None:
        if line.dimension not in self.rules.dimensions:
            known = ", ".join(self.rules.dimensions)
            self._fault(
                line, f"dimension: the recipe comes to no {line.dimension!r} for {self._which()}, but to {known}"
            )
            return
        self._claim(line, [line.dimension])
        self._take(line, line.dimension, {} if line.value is None else {line.dimension: line.value})

    def _hear_question(self, line: ScoreLine, question: RubricQuestion) -> None:
        """Take a reply, or why there is none; the score fails with one that cannot be read."""
        self._claim(line, [criterion.name for criterion in question.answer.criteria])
        if line.failure is not None:
            self._take(line, question.name, {})
            return
        try:
            answer = read_answer(line.reply, question.answer)
        except Unreadable as unreadable:
            self.failing.setdefault(question.name, Failed(FailureKind.UNPARSED.value, f"{question.name}: {unreadable}"))
            self._unread = self._unread or line.reply
            return
        self.numbers.update(answer.criteria)
        self._reasons.append((question.name, answer.reasoning))

    def _take(self, line: ScoreLine, about: str, numbers: Mapping[str, float]) -> None:
        self.numbers.update(numbers)
        if line.failure is not None:
            self.failing.setdefault(about, failed(line))
        if line.reasoning:
            self._reasons.append((about, line.reasoning))

    def _claim(self, line: ScoreLine, names: Iterable[str]) -> None:
        """Note who says something of these; it is a fault where an earlier line does."""
        earlier = [self._told[name] for name in names if self._told.setdefault(name, line) is not line]
        if earlier:
            self._fault(line, f"says again what {earlier[0].place} says of the same score")

    def _which(self) -> str:
        there = ", ".join(sorted(self.sample.there))
        return f"{self.sample}{f', of which there is {there}' if there else ''}"

    def _fault(self, line: ScoreLine, what: str) -> None:
        self.faults.append(Fault(line.place, what))
