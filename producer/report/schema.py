"""The report as data: schema `editfarm.report/2`. What every way of writing a report shows is a field here.

Numbers that are not defined (a mean of nothing, the deviation of one score) are null, never NaN. Fields may be added
within a version; one that changes its meaning or goes makes the next version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from db.tables import Stage

SCHEMA = "editfarm.report/2"

OVERALL = "overall"
"""The dimension that is the score itself; the others are what its scorer gave besides."""

HISTOGRAM_BINS = 20


class Record(BaseModel):
    """Data that does not change, with the fields that are named and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Interval(Record):
    """A 95 % confidence interval; how it was found is the report's `method`."""

    low: float
    high: float

    @classmethod
    def of(cls, found: tuple[float, float] | None) -> Self | None:
        """Return the two ends as an interval; None where there is none."""
        return None if found is None else cls(low=found[0], high=found[1])


class Failed(Record):
    """How many scores were asked and cannot be had, by why."""

    edit_failed: Annotated[int, Field(description="the edit has no image, so there was nothing to judge")] = 0
    missing: Annotated[int, Field(description="the edit's image was to be given, and is not there")] = 0
    judge_failed: Annotated[int, Field(description="the scorer could not be run on it")] = 0
    unparsed: Annotated[int, Field(description="the judge's reply holds no score that can be read")] = 0
    refused: Annotated[int, Field(description="the judge declined to answer")] = 0
    lost: Annotated[int, Field(description="its process died or stood still on every attempt, at either stage")] = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(count for _, count in self)


class Bound(Record):
    """The lower bound: the mean if every failure had been given the least score of the scale."""

    mean: float | None
    ci: Interval | None


class Figures(Record):
    """Scores of one category, or of all. Mean to interval are over what was scored: a failure is in none of them."""

    category: Annotated[str | None, Field(description="null: all of them")]
    alias: Annotated[str | None, Field(description="the category's English name, where it has one")]
    n: Annotated[int, Field(description="scores asked: samples x repeats x judge repeats")]
    scored: Annotated[int, Field(description="scores given")]
    failed: Failed
    open: Annotated[int, Field(description="still to come, or cancelled")]
    not_given: Annotated[int, Field(description="scored, but without this dimension")]
    left_out: Annotated[int, Field(description="retried ones, where the report was asked to leave them out")]
    images: Annotated[int, Field(description="different source images among what was scored")]
    coverage: Annotated[float | None, Field(description="scored / n, 0 to 1")]
    mean: Annotated[float | None, Field(description="over what was scored, on the scorer's scale")]
    sd: Annotated[float | None, Field(description="sample standard deviation (n - 1)")]
    median: float | None
    min: float | None
    max: float | None
    ci: Annotated[Interval | None, Field(description="of the mean; null for fewer than two source images")]
    lower_bound: Bound


class Macro(Record):
    """The mean of the categories' means: each category counts alike, whatever its size."""

    categories: Annotated[int, Field(description="those that have a mean")]
    mean: float | None
    ci: Interval | None
    lower_bound: Bound


class Dimension(Record):
    """One of the numbers that a scorer gives; `overall` (its score) is the first."""

    name: str
    scale: Annotated[tuple[float, float], Field(description="the least and the best number")]
    overall: Annotated[Figures, Field(description="over all samples: its mean is the micro mean")]
    macro: Macro
    categories: Annotated[Sequence[Figures], Field(description="in the benchmark's order")]
    histogram: Annotated[Sequence[int], Field(description=f"scores in {HISTOGRAM_BINS} equal bins of the scale")]


class Spread(Record):
    """How far scores of the same thing lie apart: standard deviation within a group, pooled over groups."""

    sd: float | None
    groups: Annotated[int, Field(description="groups of at least two scores")]


class ScorerReport(Record):
    """All that one scorer said."""

    scorer: Annotated[str, Field(description="its label in the run")]
    scale: Annotated[tuple[float, float], Field(description="the least and the best score it can give")]
    dimensions: Sequence[Dimension]
    spread_over_seeds: Annotated[Spread, Field(description="of a sample's repeats: each edit has its own seed")]
    spread_over_judging: Annotated[Spread, Field(description="of one edited image judged several times")]


class Agreement(Record):
    """How far two scorers agree on the images that both have scored (judge repeats averaged)."""

    scorers: tuple[str, str]
    n: Annotated[int, Field(description="images scored by both")]
    spearman: Annotated[float | None, Field(description="rank correlation, ties averaged")]
    alpha: Annotated[
        float | None, Field(description="Krippendorff's alpha for interval data, both brought to a scale of 0 to 1")
    ]


class OfficialCell(Record):
    """A figure of an official table, over all numbers that its column is made of."""

    n: Annotated[int, Field(description="numbers asked")]
    scored: Annotated[int, Field(description="numbers given")]
    failed: Annotated[int, Field(description="numbers that cannot be had")]
    mean: Annotated[float | None, Field(description="of the numbers given; macro: of the rows' means")]
    ci: Interval | None
    lower_bound: Bound


class OfficialRow(Record):
    """A row of an official table; its cells are in the order of the columns."""

    name: str
    total: Annotated[str | None, Field(description="`micro` or `macro`; null: a row of the table itself")]
    edits: int
    cells: Sequence[OfficialCell]


class OfficialTable(Record):
    """A table as a benchmark's papers have it, of one scorer."""

    title: str
    scorer: str
    rows_are: Annotated[str, Field(description="`category`, `group`, or the name of a field")]
    columns: Sequence[str]
    digits: Annotated[int, Field(description="behind the point, as the benchmark prints them")]
    rows: Sequence[OfficialRow]


class OfficialReport(Record):
    """What the recipe that a run follows has its benchmark's papers print."""

    recipe: str
    digest: Annotated[str, Field(description="sha-256 of the recipe's file")]
    benchmark: str
    judge: Annotated[str, Field(description="that the benchmark's authors use")]
    notes: Sequence[str]
    tables: Sequence[OfficialTable]


class FailedJob(Record):
    """A job that ended without a result."""

    stage: Stage
    scorer: Annotated[str | None, Field(description="null for an edit")]
    category: str
    key: str
    repeat: int
    judge_repeat: int
    kind: Annotated[
        str, Field(description="why, as in `input`, `out_of_memory`, `unparsed`, `refused`, `poison`, `missing`")
    ]
    reason: str


class Method(Record):
    """How intervals were found."""

    interval: str
    level: float
    resamples: int
    seed: int


class Benchmark(Record):
    """What was asked about."""

    digest: str
    name: str
    samples: int


class Provenance(Record):
    """All that shaped the numbers, so that two reports can be told apart."""

    configuration: Annotated[Mapping[str, Any], Field(description="of the run, every default written out")]
    environments: Annotated[
        Sequence[Mapping[str, Any]], Field(description="machine, software and weights of its outcomes, with counts")
    ]
    shared_edits: Annotated[Mapping[str, int], Field(description="edits that were made for other runs, by their ids")]
    retried_edits: int
    retried_scores: int
    priority: str
    created_at: Annotated[float, Field(description="seconds since the epoch")]
    finished_at: Annotated[float | None, Field(description="the last outcome")]
    editfarm: Annotated[str, Field(description="version that wrote the report")]


class Report(Record):
    """The report of one run."""

    schema_: Annotated[str, Field(alias="schema", serialization_alias="schema")] = SCHEMA
    run: str
    benchmark: Benchmark
    editor: Annotated[str, Field(description="its label")]
    partial: Annotated[bool, Field(description="some outcomes are missing: to come, or cancelled")]
    missing: Annotated[str | None, Field(description="what of a partial run is missing, in words")]
    progress: Mapping[str, Any]
    method: Method
    scorers: Sequence[ScorerReport]
    official: Annotated[OfficialReport | None, Field(description="null: the run follows no recipe")] = None
    agreement: Annotated[Sequence[Agreement], Field(description="of each two scorers")]
    failures: Sequence[FailedJob]
    provenance: Provenance
