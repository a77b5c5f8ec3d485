"""The tables of the recipe that a run follows, as its benchmark's papers have them, from the scores as arrays.

A column's figure is the mean of all its numbers together. A number counts as asked where the rubric comes to it for a
sample; one that cannot be had is in no mean, and in the lower bound as the least of its own scale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.outcomes import JudgedSample
from db.recipe import FollowedRecipe
from db.recipe import OfficialTable as AskedTable
from db.rubric import Rubric
from producer.report.schema import Bound, Interval, OfficialCell, OfficialReport, OfficialRow, OfficialTable
from producer.report.scores import FAILURES, Asked, RunScores, ScorerScores
from producer.statistics.bootstrap import interval, numbered_by_stratum, ratio, resampled_totals, totals_by_image
from producer.statistics.summary import Numbers

_Mask = NDArray[np.bool_]

_SUMS = 5
"""Of each column and edit: sum and count of its numbers, the same with failures as the least, how many were asked."""


def official_report(recipe: FollowedRecipe, scores: RunScores, samples: Mapping[int, JudgedSample]) -> OfficialReport:
    """Return the recipe's tables of every scorer that has a rubric; what there is no table of is told in the notes."""
    edits = [samples[scores.asked.sample_ids[place]] for place in scores.asked.sample]
    ruled = [(scorer, scorer.rubric) for scorer in scores.scorers if scorer.rubric is not None]
    tables, notes = [], list(recipe.notes)
    for table in recipe.tables:
        parts = list(_parts(table, edits))
        if not parts:
            notes.append(f"{table.title}: no sample is what it is about, {', '.join(_about(table))}")
        for scorer, rubric in ruled:
            sums = _sums(table, scorer, rubric, edits)
            tables += [_table(table, title, scorer, _Beside(scores.asked, edits, sums), part) for title, part in parts]
    return OfficialReport(
        recipe=recipe.name,
        digest=recipe.digest,
        benchmark=recipe.benchmark,
        judge=recipe.judge,
        notes=notes,
        tables=tables,
    )


# -- which edits -------------------------------------------------------------------------------------------------------


def _parts(table: AskedTable, edits: Sequence[JudgedSample]) -> Iterator[tuple[str, _Mask]]:
    """Yield the title of each table that this one stands for, and which edits it is about; nothing of no edits."""
    chosen = np.array([_is_chosen(edit.fields, table.where) for edit in edits], dtype=bool)
    if table.rows == "group":
        chosen &= _of_categories(edits, [name for several in table.groups.values() for name in several])
    elif table.rows != "category":
        chosen &= np.array([table.rows in edit.fields for edit in edits], dtype=bool)
    if table.each is None:
        if chosen.any():
            yield table.title, chosen
        return
    values = [edit.fields.get(table.each) for edit in edits]
    for value in dict.fromkeys(
        str(value) for value, there in zip(values, chosen, strict=True) if there and value is not None
    ):
        yield f"{table.title}, {value}", chosen & np.array([str(one) == value for one in values], dtype=bool)


def _is_chosen(fields: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    return all(_is_same(fields.get(name), value) for name, value in where.items())


def _is_same(found: object, wanted: object) -> bool:
    """Tell whether a field has this value; tables have numbers and truth values as texts."""
    if found == wanted or not isinstance(found, str):
        return found == wanted
    if isinstance(wanted, bool):
        return found.casefold() == str(wanted).casefold()
    try:
        return float(found) == wanted
    except ValueError:
        return False


def _about(table: AskedTable) -> list[str]:
    """Return the fields that the samples of a table have, and which of them with which value."""
    by_rows = {"category": [], "group": ["a category of its groups"]}
    by_field = by_rows.get(table.rows, [table.rows])
    valued = [f"{name}: {value}" for name, value in table.where.items()]
    return [*by_field, *([table.each] if table.each else []), *valued]


def _rows(table: AskedTable, edits: Sequence[JudgedSample], part: _Mask) -> dict[str, _Mask]:
    """Return the rows of a table, by their names, in the benchmark's order or that of the groups."""
    if table.rows == "group":
        found = {name: _of_categories(edits, categories) & part for name, categories in table.groups.items()}
        return {name: where for name, where in found.items() if where.any()}
    values = [edit.category if table.rows == "category" else str(edit.fields.get(table.rows)) for edit in edits]
    names = dict.fromkeys(value for value, there in zip(values, part, strict=True) if there)
    return {name: part & np.array([value == name for value in values], dtype=bool) for name in names}


def _of_categories(edits: Sequence[JudgedSample], categories: Sequence[str]) -> _Mask:
    return np.array([edit.category in categories for edit in edits], dtype=bool)


# -- which numbers -----------------------------------------------------------------------------------------------------


def _sums(table: AskedTable, scorer: ScorerScores, rubric: Rubric, edits: Sequence[JudgedSample]) -> Numbers:
    """Return what every edit adds to each column: (edits, columns, _SUMS)."""
    given = {(edit.category, edit.there): rubric.given(edit.category, edit.there) for edit in edits}
    names = [given[edit.category, edit.there] for edit in edits]
    return np.stack([sum(_sums_of(name, scorer, names) for name in column.of) for column in table.columns], axis=1)


def _sums_of(name: str, scorer: ScorerScores, given: Sequence[frozenset[str]]) -> Numbers:
    applies = np.array([name in one for one in given], dtype=bool)
    nothing = np.full(scorer.outcome.shape, np.nan)
    values = np.where(applies, scorer.dimensions.get(name, nothing), np.nan)
    is_number = ~np.isnan(values)
    failed = (np.isin(scorer.outcome, FAILURES) & applies & ~is_number).sum(axis=0)
    total, scored = np.nansum(values, axis=0), is_number.sum(axis=0)
    least = scorer.scale_of(name)[0]
    asked = applies * scorer.outcome.shape[0]
    return np.column_stack([total, scored, total + failed * least, scored + failed, asked])


# -- figures -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Beside:
    """Every edit of the run, what its sample is, and what it adds to each column."""

    asked: Asked
    edits: Sequence[JudgedSample]
    sums: Numbers

    def replicates(self, rows: Sequence[_Mask]) -> Numbers:
        """Return what each row adds up to in each resample of the images: (resamples, rows, columns, _SUMS)."""
        image, strata = numbered_by_stratum(self.asked.image, self.asked.category, len(self.asked.categories))
        flat = self.sums.reshape(len(self.sums), -1)
        groups = [totals_by_image(image[where], flat[where]) for where in rows]
        totals = resampled_totals(groups, strata)
        return totals.reshape(*totals.shape[:2], *self.sums.shape[1:])


def _table(table: AskedTable, title: str, scorer: ScorerScores, beside: _Beside, part: _Mask) -> OfficialTable:
    by_name = _rows(table, beside.edits, part)
    every = np.logical_or.reduce(list(by_name.values())) if by_name else np.zeros_like(part)
    replicates = beside.replicates([*by_name.values(), every])
    rows = [
        _row(name, None, beside, where, replicates[:, number]) for number, (name, where) in enumerate(by_name.items())
    ]
    totals = {
        "micro": lambda: _row("all (micro)", "micro", beside, every, replicates[:, -1]),
        "macro": lambda: _macro(table, rows, replicates[:, :-1]),
    }
    return OfficialTable(
        title=title,
        scorer=scorer.label,
        rows_are=table.rows,
        columns=[column.name for column in table.columns],
        digits=table.digits,
        rows=[*rows, *(totals[name]() for name in table.totals)],
    )


def _row(name: str, total: str | None, beside: _Beside, where: _Mask, replicates: Numbers) -> OfficialRow:
    """Return one row; `replicates` are (resamples, columns, _SUMS)."""
    sums = beside.sums[where].sum(axis=0)
    cells = [
        OfficialCell(
            n=int(asked),
            scored=int(scored),
            failed=int(bounded - scored),
            mean=value / scored if scored else None,
            ci=_interval(replicates[:, number, 0], replicates[:, number, 1], beside, where, number),
            lower_bound=Bound(
                mean=least / bounded if bounded else None,
                ci=_interval(replicates[:, number, 2], replicates[:, number, 3], beside, where, number, counted=3),
            ),
        )
        for number, (value, scored, least, bounded, asked) in enumerate(sums.tolist())
    ]
    return OfficialRow(name=name, total=total, edits=int(where.sum()), cells=cells)


def _interval(
    sums: Numbers, counts: Numbers, beside: _Beside, where: _Mask, column: int, counted: int = 1
) -> Interval | None:
    """Return the interval of a mean; None for fewer than two source images."""
    images = np.unique(beside.asked.image[where & (beside.sums[:, column, counted] > 0)]).size
    return Interval.of(interval(ratio(sums, counts)) if images > 1 else None)


def _macro(table: AskedTable, rows: Sequence[OfficialRow], replicates: Numbers) -> OfficialRow:
    """Return the means of the rows' means, each over the rows that have one; a row of one image leaves no interval."""
    cells = []
    for number in range(len(table.columns)):
        of_rows = [row.cells[number] for row in rows]
        mean, ci = _mean_of(
            [cell.mean for cell in of_rows],
            [cell.ci for cell in of_rows],
            ratio(replicates[:, :, number, 0], replicates[:, :, number, 1]),
        )
        least, least_ci = _mean_of(
            [cell.lower_bound.mean for cell in of_rows],
            [cell.lower_bound.ci for cell in of_rows],
            ratio(replicates[:, :, number, 2], replicates[:, :, number, 3]),
        )
        cells.append(
            OfficialCell(
                n=sum(cell.n for cell in of_rows),
                scored=sum(cell.scored for cell in of_rows),
                failed=sum(cell.failed for cell in of_rows),
                mean=mean,
                ci=ci,
                lower_bound=Bound(mean=least, ci=least_ci),
            )
        )
    what = "categories" if table.rows == "category" else "rows"
    return OfficialRow(name=f"{what} (macro)", total="macro", edits=sum(row.edits for row in rows), cells=cells)


def _mean_of(
    means: Sequence[float | None], cis: Sequence[Interval | None], replicates: Numbers
) -> tuple[float | None, Interval | None]:
    """Return the mean of the means that there are, and its interval; `replicates` are (resamples, rows)."""
    known = [number for number, mean in enumerate(means) if mean is not None]
    if not known:
        return None, None
    mean = sum(means[number] or 0.0 for number in known) / len(known)
    if any(cis[number] is None for number in known):
        return mean, None
    return mean, Interval.of(interval(replicates[:, known].mean(axis=1)))
