"""Charts as inline SVG: means with intervals, histograms, and bars of runs beside each other.

Lengths are in the SVG's own units, pixels on a wide screen. Colours and fonts are the style sheet's, by class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from rich.cells import cell_len, set_cell_size

from producer.gallery.harmless import harmless
from producer.gallery.words import english, label
from producer.report.schema import Figures, Interval

WIDTH = 380
RUN_COLOURS = 6
"""So many runs have a colour of their own (`.run-0` and on); the next begins anew."""

_LABEL_WIDTH = 112
_LABEL_CELLS = 18
_VALUE_WIDTH = 40
_ROW_HEIGHT = 26
_BAR_HEIGHT = 12
_AXIS_HEIGHT = 22
_HISTOGRAM_HEIGHT = 84
_TOP = 8


@dataclass(frozen=True)
class Scale:
    """Where a value lies between two places of the drawing."""

    least: float
    best: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value, within the drawing also for one beyond the scale."""
        share = (value - self.least) / (self.best - self.least)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)

    @property
    def ticks(self) -> Sequence[float]:
        """Where the axis is labelled."""
        return [self.least + (self.best - self.least) * part / 4 for part in range(5)]


def means_chart(rows: Sequence[Figures], scale: tuple[float, float]) -> Markup:
    """Draw the mean of each category as a dot on its 95 % interval; a category without a mean has a dash."""
    axis = Scale(*scale, _LABEL_WIDTH, WIDTH - _VALUE_WIDTH - 8)
    height = len(rows) * _ROW_HEIGHT
    drawn = [_grid(axis, _TOP + height)]
    for number, row in enumerate(rows):
        middle = _TOP + (number + 0.5) * _ROW_HEIGHT
        drawn += [_label(row, middle), *_mean(row.mean, row.ci, axis, middle), _value(row.mean, middle)]
    return _svg(_TOP + height + _AXIS_HEIGHT, "chart_means", drawn)


def comparison_chart(rows: Sequence[Sequence[tuple[int, Figures]]], scale: tuple[float, float]) -> Markup:
    """Draw each category as one bar per run, with its interval; a row holds one category's figures by run number."""
    axis = Scale(*scale, _LABEL_WIDTH, WIDTH - _VALUE_WIDTH - 8)
    drawn: list[Markup] = []
    top = float(_TOP)
    for row in rows:
        height = len(row) * _BAR_HEIGHT + 10
        drawn.append(_label(row[0][1], top + height / 2))
        for place, (run, figures) in enumerate(row):
            drawn += _bar(figures, axis, top + 5 + place * _BAR_HEIGHT, run)
        top += height
    return _svg(top + _AXIS_HEIGHT, "chart_comparison", [_grid(axis, top), *drawn])


def histogram_chart(bins: Sequence[int], scale: tuple[float, float], run: int = 0) -> Markup:
    """Draw how many scores lie in each part of the scale; the highest bar bears its count."""
    axis = Scale(*scale, 12, WIDTH - 12)
    most = max(bins, default=0)
    step = (axis.end - axis.start) / max(1, len(bins))
    bottom = _TOP + 12 + _HISTOGRAM_HEIGHT
    drawn = [_grid(axis, bottom)]
    for number, count in enumerate(bins):
        height = _HISTOGRAM_HEIGHT * count / most if most else 0
        left = axis.start + number * step
        drawn.append(_rectangle(left + 1, bottom - height, step - 2, height, _colour(run)))
    if most:
        middle = axis.start + (bins.index(most) + 0.5) * step
        drawn.append(_text(middle, _TOP + 8, f"{most:,}", "count"))
    return _svg(bottom + _AXIS_HEIGHT, "chart_histogram", drawn)


# -- parts of a chart --------------------------------------------------------------------------------------------------


def _svg(height: float, word: str, drawn: Sequence[Markup]) -> Markup:
    """Return the drawing; `word` names what it is, in the page's language."""
    opening = Markup('<svg class="chart" viewBox="0 0 {} {:g}" role="img" {}>').format(WIDTH, height, label(word))
    return opening + Markup("").join(drawn) + Markup("</svg>")


def _grid(axis: Scale, bottom: float) -> Markup:
    lines = Markup("").join(
        Markup('<line class="grid" x1="{0:g}" x2="{0:g}" y1="{1:g}" y2="{2:g}"/>').format(axis.at(tick), _TOP, bottom)
        + _text(axis.at(tick), bottom + 16, f"{tick:g}", "tick")
        for tick in axis.ticks
    )
    return Markup("<g>") + lines + Markup("</g>")


def _mean(mean: float | None, ci: Interval | None, axis: Scale, middle: float) -> Iterator[Markup]:
    if ci is not None:
        yield _interval(ci, axis, middle, "interval")
    if mean is not None:
        yield Markup('<circle class="mean" cx="{:g}" cy="{:g}" r="4.5"/>').format(axis.at(mean), middle)


def _bar(figures: Figures, axis: Scale, top: float, run: int) -> Iterator[Markup]:
    middle = top + _BAR_HEIGHT / 2
    if figures.mean is not None:
        width = axis.at(figures.mean) - axis.start
        yield _rectangle(axis.start, top + 1, width, _BAR_HEIGHT - 2, _colour(run))
    if figures.ci is not None:
        yield _interval(figures.ci, axis, middle, "whisker")
    yield _value(figures.mean, middle)


def _interval(ci: Interval, axis: Scale, middle: float, name: str) -> Markup:
    line = '<line class="{}" x1="{:g}" x2="{:g}" y1="{:g}" y2="{:g}"/>'
    return Markup(line).format(name, axis.at(ci.low), axis.at(ci.high), middle, middle)


def _rectangle(left: float, top: float, width: float, height: float, name: str) -> Markup:
    rectangle = '<rect class="{}" x="{:g}" y="{:g}" width="{:g}" height="{:g}" rx="1.5"/>'
    return Markup(rectangle).format(name, left, top, max(0.0, width), height)


def _colour(run: int) -> str:
    return f"bar run-{run % RUN_COLOURS}"


def _value(mean: float | None, middle: float) -> Markup:
    return _text(WIDTH - 2, middle + 4, "–" if mean is None else f"{mean:z.2f}", "value")


def _text(left: float, bottom: float, text: str, name: str) -> Markup:
    return Markup('<text class="{}" x="{:g}" y="{:g}">{}</text>').format(name, left, bottom, text)


def _label(figures: Figures, middle: float) -> Markup:
    """Name the category, cut where it does not fit; its alias only where it does."""
    place = Markup('<text class="label" x="0" y="{:g}"').format(middle + 4)
    if figures.category is None:
        return place + Markup(' data-word="all">{}</text>').format(english("all"))
    name = harmless(figures.category).replace("\n", " ")
    alias = figures.alias or ""
    fits = cell_len(name) + 1 + cell_len(alias) <= _LABEL_CELLS
    second = Markup('<tspan class="alias"> {}</tspan>').format(alias) if alias and fits else Markup("")
    return place + Markup("><title>{}</title>{}{}</text>").format(name, _cut(name), second)


def _cut(text: str) -> str:
    """Return the text as far as the label's width goes; Chinese characters are two cells wide."""
    return text if cell_len(text) <= _LABEL_CELLS else set_cell_size(text, _LABEL_CELLS - 1).rstrip() + "…"
