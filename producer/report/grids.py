"""A report as grids of text: what its terminal tables and its markdown have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from db.categories import with_alias
from producer.report.grid import Grid, number, percentage, span
from producer.report.official_grids import official_grids
from producer.report.schema import Bound, Dimension, Failed, Figures, Macro, Report, ScorerReport
from producer.words import counted

FAILURES_SHOWN = 20


def heading(report: Report) -> list[str]:
    """Return what a report begins with, line by line; a partial one says so in the second."""
    lines = [f"run {report.run}  benchmark {report.benchmark.name}  editor {report.editor}"]
    if report.missing is not None:
        lines.append(f"PARTIAL: {report.missing}")
    edits = report.progress["edits"]["total"]
    for run_id, count in report.provenance.shared_edits.items():
        lines.append(f"{count:,} of {edits:,} edits were made for run {run_id}")
    retried = report.provenance.retried_edits + report.provenance.retried_scores
    left_out = sum(scorer.dimensions[0].overall.left_out for scorer in report.scorers)
    if retried:
        for_it = f"; left out for it: {counted(left_out, 'score')}" if left_out else ""
        lines.append(f"retried: {counted(retried, 'job')}{for_it}")
    return lines


def grids(report: Report, *, wide: bool = True) -> Iterator[Grid]:
    """Yield the tables of a report; `wide` ones have all numbers, others those that fit 80 columns."""
    for scorer in report.scorers:
        yield _by_category(scorer, wide)
        if len(scorer.dimensions) > 1:
            yield _by_dimension(scorer, wide)
    yield from official_grids(report, wide)
    if report.agreement:
        yield _agreement(report)
    if report.failures:
        yield _failures(report)


def closing(report: Report) -> str:
    """Return how the numbers were found."""
    return f"95 % CI: {report.method.interval}"


# -- scores ------------------------------------------------------------------------------------------------------------

_COUNTS = ("n", "scored", "failed", "coverage", "mean", "95 % CI")
_WIDE = ("sd", "median", "min", "max")


def _by_category(scorer: ScorerReport, wide: bool) -> Grid:
    overall = scorer.dimensions[0]
    return Grid(
        title=f"scorer {scorer.scorer}",
        columns=["category", *_numbers(wide)],
        rows=[[with_alias(figures.category or ""), *_cells(figures, wide)] for figures in overall.categories],
        footers=list(_footers(overall, overall.scale, wide)),
        notes=list(_notes(scorer)),
    )


def _by_dimension(scorer: ScorerReport, wide: bool) -> Grid:
    rows = [[dimension.name, *_cells(dimension.overall, wide)] for dimension in scorer.dimensions]
    return Grid(f"scorer {scorer.scorer}, by dimension", ["dimension", *_numbers(wide)], rows)


def _numbers(wide: bool) -> tuple[str, ...]:
    return _COUNTS + _WIDE if wide else _COUNTS


def _cells(figures: Figures, wide: bool) -> list[str]:
    counts = [f"{count:,}" for count in (figures.n, figures.scored, figures.failed.total)]
    rest = [figures.sd, figures.median, figures.min, figures.max] if wide else []
    return [*counts, percentage(figures.coverage), number(figures.mean), span(figures.ci), *map(number, rest)]


def _footers(dimension: Dimension, scale: tuple[float, float], wide: bool) -> Iterator[list[str]]:
    """Yield the rows below the categories: over all samples, over categories, and the least it can be."""
    yield ["all (micro)", *_cells(dimension.overall, wide)]
    filled = 4 if wide else 0
    if len(dimension.categories) > 1:
        yield [_macro_name(dimension), *_means(dimension.macro, filled)]
    if dimension.overall.failed.total:
        least = f"{scale[0]:g}"
        yield [f"failures as {least}, micro", *_means(dimension.overall.lower_bound, filled)]
        if len(dimension.categories) > 1:
            yield [f"failures as {least}, macro", *_means(dimension.macro.lower_bound, filled)]


def _macro_name(dimension: Dimension) -> str:
    """Return what the mean of means is over: where a category has no score, not over all of them."""
    scored, all_of_them = dimension.macro.categories, len(dimension.categories)
    return "categories (macro)" if scored == all_of_them else f"{scored} of {all_of_them} categories (macro)"


def _means(mean: Macro | Bound, filled: int) -> list[str]:
    return [*[""] * 4, number(mean.mean), span(mean.ci), *[""] * filled]


def _notes(scorer: ScorerReport) -> Iterator[str]:
    overall = scorer.dimensions[0].overall
    if overall.failed.total:
        yield f"failed: {_in_words(overall.failed)}"
    if overall.left_out:
        yield f"left out: {overall.left_out:,} retried"
    for spread, what in ((scorer.spread_over_seeds, "seeds"), (scorer.spread_over_judging, "judge repeats")):
        if spread.groups:
            yield f"spread over {what}: sd {number(spread.sd)} within {spread.groups:,} groups"


def _in_words(failed: Failed) -> str:
    """Return how many failed of each kind, as in `2 unparsed, 1 lost (poison)`: the latter is the ledger's word."""
    words = {"lost": "lost (poison)"}
    return ", ".join(f"{count:,} {words.get(name, name.replace('_', ' '))}" for name, count in failed if count)


# -- agreement and failures --------------------------------------------------------------------------------------------


def _agreement(report: Report) -> Grid:
    rows = [[*one.scorers, f"{one.n:,}", number(one.spearman), number(one.alpha)] for one in report.agreement]
    return Grid(
        "agreement of scorers", ["scorer", "and", "n", "rank correlation", "Krippendorff's alpha"], rows, texts=2
    )


def _failures(report: Report) -> Grid:
    kinds = Counter(failure.kind for failure in report.failures)
    counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    rows = []
    for failure in report.failures[:FAILURES_SHOWN]:
        stage = failure.stage.value if failure.scorer is None else f"{failure.stage.value} ({failure.scorer})"
        repeat = f" #{failure.repeat}" if report.provenance.configuration["repeats"] > 1 else ""
        again = f", judged again #{failure.judge_repeat}" if failure.judge_repeat else ""
        place = [stage, with_alias(failure.category), f"{failure.key}{repeat}{again}"]
        rows.append([*place, failure.kind, failure.reason])
    more = len(report.failures) - FAILURES_SHOWN
    return Grid(
        title=f"{len(report.failures):,} failed: {counted}",
        columns=["stage", "category", "sample", "kind", "reason"],
        rows=rows,
        notes=[f"and {more:,} more; `report --format json` has them all"] if more > 0 else [],
        texts=5,
    )
