"""What stands on top of the page: each scorer's figures of every run, side by side by category, and their charts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from producer.gallery.charts import comparison_chart, histogram_chart, means_chart
from producer.gallery.content import Scorer, scorers_of
from producer.report.schema import OVERALL, Dimension, Figures, Report


@dataclass(frozen=True)
class Row:
    """One category, or all (`category` None): the figures of each run that has it, by the run's number."""

    category: str | None
    alias: str | None
    figures: Sequence[tuple[int, Figures]]


@dataclass(frozen=True)
class ScorerSummary:
    """What one scorer said of every run that asked it."""

    label: str
    scale: tuple[float, float]
    dimensions: Sequence[tuple[int, Sequence[Dimension]]]

    @property
    def overall(self) -> Sequence[tuple[int, Dimension]]:
        """The score itself, by the runs' numbers."""
        return [(run, dimension) for run, dimensions in self.dimensions for dimension in dimensions[:1]]

    @property
    def criteria(self) -> Sequence[tuple[int, Dimension]]:
        """What the scorer gave besides, by the runs' numbers."""
        return [(run, one) for run, dimensions in self.dimensions for one in dimensions if one.name != OVERALL]

    @property
    def rows(self) -> Sequence[Row]:
        """Every category that a run has, then all of them."""
        return list(_rows(self.overall))

    @property
    def means(self) -> Markup:
        """The chart of means: with runs beside each other where there are several."""
        if len(self.dimensions) == 1:
            return means_chart([row.figures[0][1] for row in self.rows], self.scale)
        return comparison_chart([row.figures for row in self.rows], self.scale)

    @property
    def histograms(self) -> Sequence[tuple[int, Markup]]:
        """How each run's scores are spread, by the runs' numbers."""
        return [(run, histogram_chart(dimension.histogram, self.scale, run)) for run, dimension in self.overall]


def summaries(reports: Sequence[Report]) -> list[ScorerSummary]:
    """Return the summary of every scorer that any of the runs asked."""
    return [ScorerSummary(*scorer, list(_dimensions(scorer, reports))) for scorer in scorers_of(reports)]


def _dimensions(wanted: Scorer, reports: Sequence[Report]) -> Iterator[tuple[int, Sequence[Dimension]]]:
    for run, report in enumerate(reports):
        for scorer in report.scorers:
            if (scorer.scorer, scorer.scale) == wanted:
                yield run, scorer.dimensions


def _rows(overall: Sequence[tuple[int, Dimension]]) -> Iterator[Row]:
    by_category: dict[str | None, list[tuple[int, Figures]]] = {}
    for run, dimension in overall:
        for figures in dimension.categories:
            by_category.setdefault(figures.category, []).append((run, figures))
    by_category[None] = [(run, dimension.overall) for run, dimension in overall]
    for category, found in by_category.items():
        yield Row(category, found[0][1].alias, found)
