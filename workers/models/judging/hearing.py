"""One edit before its judge: the questions that are asked, the replies that were heard, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from db.aggregate import CriterionMissing
from db.answers import joined, read_answer
from db.options import JudgeOptions
from db.replies import Unreadable, read_reply
from db.rubric import RubricQuestion
from workers.models.errors import ModelFault, Unparsed
from workers.models.judging.question import Question, questions_for, there_in
from workers.models.protocols import Rating, ScoreRequest


@dataclass(frozen=True)
class Heard:
    """A reply as it came; `cut_off` when the judge was stopped before it had ended."""

    text: str
    cut_off: bool


class Hearing:
    """Takes the replies to one edit's questions, each once or, where it cannot be read, twice."""

    def __init__(self, request: ScoreRequest, options: JudgeOptions) -> None:
        self.request = request
        self.questions = questions_for(request, options)
        self._rubric = options.rubric
        self._read: dict[int, Mapping[str, object]] = {}
        self._criteria: dict[str, float] = {}
        self._value: float | None = None
        self._faults: dict[int, Unparsed] = {}
        self._first_replies: dict[int, str] = {}

    def hear(self, number: int, reply: Heard) -> bool:
        """Take the reply to a question; tell whether it can be read. A second reply takes the place of the first."""
        first = self._faults.pop(number, None)
        if first is not None:
            self._first_replies[number] = str(first.detail["reply"])
        try:
            self._take(number, reply, self.questions[number])
        except Unreadable as fault:
            name = self._name(number)
            self._faults[number] = Unparsed(f"{name}: {fault}" if name else str(fault), {"reply": reply.text})
            return False
        return True

    def rating(self) -> Rating | ModelFault:
        """Return what the replies come to: a rating, or the fault of the first question that has no readable one."""
        if self._faults:
            number, fault = min(self._faults.items())
            first = {"first_reply": self._first_replies[number]} if number in self._first_replies else {}
            criteria = {"criteria": self._criteria} if self._criteria else {}
            return Unparsed(str(fault), {**fault.detail, **first, **criteria})
        try:
            value, detail = self._verdict()
        except CriterionMissing as missing:
            return ModelFault(f"the rubric does not fit this sample: {missing}", {"criteria": self._criteria})
        return Rating(value, {**detail, **({"asked_twice": True} if self._first_replies else {})})

    def _take(self, number: int, reply: Heard, question: Question) -> None:
        if question.rubric is None:
            verdict = read_reply(reply.text, cut_off=reply.cut_off, aggregate=self.request.aggregate)
            self._value, self._read[number] = verdict.value, verdict.detail()
            return
        answer = read_answer(reply.text, question.rubric.answer, cut_off=reply.cut_off)
        self._criteria.update(answer.criteria)
        self._read[number] = {"reasoning": answer.reasoning}

    def _verdict(self) -> tuple[float, Mapping[str, object]]:
        if self._rubric is None:
            assert self._value is not None  # its one question was heard, or is among the faults
            return self._value, self._read[0]
        values = self._rubric.values_of(self.request.category, there_in(self.request), self._criteria)
        reasons = [(self._name(number), str(read["reasoning"])) for number, read in sorted(self._read.items())]
        return values[self._rubric.score], {"reasoning": joined(reasons), "criteria": values}

    def _name(self, number: int) -> str:
        asked: RubricQuestion | None = self.questions[number].rubric
        return asked.name if asked is not None else ""
