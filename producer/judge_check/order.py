"""What the order in which a judge saw two edits has to do with which of them it preferred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from producer.judge_check.edits import Edits
from producer.judge_check.figures import verdict_accuracy
from producer.judge_check.human import Human, Preferences
from producer.judge_check.pairs import Preferred, Verdict
from producer.judge_check.schema import Accuracy, OrderEffects, Share
from producer.report.schema import OVERALL, Interval
from producer.statistics.binomial import even_chance_p, wilson

Truth = Mapping[tuple[int, int], int]
"""Which of two edits people find better, by the places of both, the lesser first."""

_BothOrders = tuple[Verdict, Verdict]


def truth_of(human: Human | None, verdicts: Sequence[Verdict], edits: Edits) -> Truth | None:
    """Return what people prefer of each pair that was judged: by most preferences, else by the order of their ratings.

    A pair of which they prefer neither is not in it. None where people have said nothing of the score itself.
    """
    if human is None or OVERALL not in human.dimensions:
        return None
    leads = _leads_by_preference(human.preferences.get(OVERALL))
    rated = human.ratings.get(OVERALL)
    means = np.full(edits.category.size, np.nan) if rated is None else rated.rounded_means(edits.category.size)
    found: dict[tuple[int, int], int] = {}
    for one, other in {verdict.pair for verdict in verdicts}:
        lead = leads.get((one, other), means[one] - means[other])
        if lead > 0 or lead < 0:  # neither where one is not rated
            found[one, other] = one if lead > 0 else other
    return found


def _leads_by_preference(preferences: Preferences | None) -> Counter[tuple[int, int]]:
    """Return by how many votes the first of two edits leads, 0 where people prefer neither."""
    leads: Counter[tuple[int, int]] = Counter()
    if preferences is not None:
        columns = (preferences.better, preferences.worse, preferences.is_tie)
        for better, worse, is_tie in zip(*(column.tolist() for column in columns), strict=True):
            vote = 1 if better < worse else -1
            leads[min(better, worse), max(better, worse)] += 0 if is_tie else vote
    return leads


def order_effects(edits: Edits, verdicts: Sequence[Verdict], truth: Truth | None) -> Iterator[OrderEffects]:
    """Yield what each judge did, in the order in which the file names them."""
    by_judge: dict[str | None, list[Verdict]] = {}
    for verdict in verdicts:
        by_judge.setdefault(verdict.judge, []).append(verdict)
    for judge, of_judge in by_judge.items():
        yield _of_judge(edits, judge, of_judge, truth)


def _of_judge(edits: Edits, judge: str | None, verdicts: Sequence[Verdict], truth: Truth | None) -> OrderEffects:
    given = Counter(verdict.preferred for verdict in verdicts)
    both = list(_in_both_orders(verdicts))
    decided = [two for two in both if all(verdict.winner is not None for verdict in two)]
    kept = [two for two in decided if two[0].winner == two[1].winner]
    followed = Counter(two[0].preferred for two in decided if two[0].winner != two[1].winner)
    first, second = given[Preferred.FIRST], given[Preferred.SECOND]
    return OrderEffects(
        judge=judge,
        verdicts=len(verdicts),
        ties=given[Preferred.TIE],
        preferred_first=_share(first, first + second),
        p=even_chance_p(first, first + second),
        both_orders=len(both),
        kept=_share(len(kept), len(both)),
        followed_first=_share(followed[Preferred.FIRST], len(both)),
        followed_second=_share(followed[Preferred.SECOND], len(both)),
        tied=_share(len(both) - len(decided), len(both)),
        accuracy=None if truth is None else _accuracy(edits, verdicts, truth),
        accuracy_kept=None if truth is None else _accuracy(edits, [two[0] for two in kept], truth),
    )


def _in_both_orders(verdicts: Sequence[Verdict]) -> Iterator[_BothOrders]:
    """Yield the two verdicts of each pair that was judged in both orders, by judge repeat."""
    by_shown = {(verdict.first, verdict.second, verdict.judge_repeat): verdict for verdict in verdicts}
    for (first, second, judge_repeat), verdict in by_shown.items():
        other = by_shown.get((second, first, judge_repeat))
        if other is not None and first < second:
            yield verdict, other


def _accuracy(edits: Edits, verdicts: Sequence[Verdict], truth: Truth) -> Accuracy:
    known = [verdict for verdict in verdicts if verdict.pair in truth]
    said = [0 if verdict.winner is None else 1 if verdict.winner == truth[verdict.pair] else -1 for verdict in known]
    places = np.array([verdict.first for verdict in known], dtype=np.intp)
    return verdict_accuracy(edits, places, np.array(said, dtype=np.float64))[0]


def _share(count: int, of: int) -> Share:
    return Share(count=count, of=of, share=count / of if of else None, ci=Interval.of(wilson(count, of)))
