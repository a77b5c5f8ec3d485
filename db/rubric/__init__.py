"""A rubric: what a judge is asked of one edit, in one or several questions, and how its answers become a score.

Benchmarks ask their judges in ways of their own: several questions with other images each, answers in other forms, and
arithmetic over them. A rubric is all of that as data, stored with the run.
"""

from db.rubric.condition import When, there_is
from db.rubric.question import AnswerForm, Criterion, Resize, RubricQuestion, Shown
from db.rubric.scale import JUDGED_ON, Scale, scale_in
from db.rubric.whole import Rubric, RubricValue

__all__ = [
    "JUDGED_ON",
    "AnswerForm",
    "Criterion",
    "Resize",
    "Rubric",
    "RubricQuestion",
    "RubricValue",
    "Scale",
    "Shown",
    "When",
    "scale_in",
    "there_is",
]
