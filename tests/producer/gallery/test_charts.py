"""Charts as SVG."""

from __future__ import annotations

import re

import pytest

from producer.gallery.charts import RUN_COLOURS, WIDTH, comparison_chart, histogram_chart, means_chart
from producer.report.schema import Report


def numbers(svg: str, element: str, name: str) -> list[float]:
    return [float(found) for found in re.findall(rf'<{element} [^>]*{name}="([-\d.]+)"', svg)]


def test_means_stand_where_the_scale_says(report: Report) -> None:
    dimension = report.scorers[0].dimensions[0]
    svg = means_chart([*dimension.categories, dimension.overall], (1, 5))
    first_tick, *_, last_tick = numbers(svg, 'line class="grid"', "x1")

    share = (11 / 3 - 1) / 4
    assert numbers(svg, "circle", "cx") == [pytest.approx(first_tick + share * (last_tick - first_tick), abs=0.02)] * 2
    assert svg.count(">–<") == 1
    assert "<b>" not in svg


def test_a_histogram_has_a_bar_for_each_part_and_the_highest_count(report: Report) -> None:
    svg = histogram_chart(report.scorers[0].dimensions[0].histogram, (1, 5))
    heights = numbers(svg, "rect", "height")

    assert (len(heights), heights[0] * 2, sum(heights[1:-1])) == (20, heights[-1], 0)
    assert '<text class="count"' in svg
    assert ">2</text>" in svg


def test_an_empty_histogram_is_drawn() -> None:
    assert "count" not in histogram_chart([0] * 20, (0, 10))


def test_runs_beside_each_other_have_their_colours(report: Report) -> None:
    figures = report.scorers[0].dimensions[0].overall
    svg = comparison_chart([[(0, figures), (1, figures), (RUN_COLOURS, figures)]], (1, 5))

    assert re.findall(r'class="bar (run-\d)"', svg) == ["run-0", "run-1", "run-0"]


def test_nothing_is_drawn_beyond_the_edge(report: Report) -> None:
    dimension = report.scorers[0].dimensions[0]
    beyond = dimension.overall.model_copy(update={"mean": 99.0})

    assert max(numbers(means_chart([beyond], (1, 5)), "circle", "cx")) < WIDTH
