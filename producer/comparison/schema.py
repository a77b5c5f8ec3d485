"""A comparison as data: schema `editfarm.compare/1`, under the same rules as the report's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from producer.report.schema import Interval, OfficialCell, Record

SCHEMA = "editfarm.compare/1"


class ComparedRun(Record):
    """One of the runs."""

    run: str
    name: Annotated[str, Field(description="the editor's label, with the run's id where two would be the same")]
    editor: str
    benchmark: Annotated[str, Field(description="its name")]
    benchmark_digest: str
    samples: int
    missing: Annotated[str | None, Field(description="what of it is still missing, in words: the run is PARTIAL")]


class Standing(Record):
    """One run among all, on the samples that every run has a score of; `mean` and `ci` are over those."""

    run: str
    rank: Annotated[int | None, Field(description="by the mean, from 1; runs with equal means share one")]
    n: Annotated[int, Field(description="samples that every run has a score of")]
    scored: Annotated[int, Field(description="shared samples that this run has a score of")]
    shared: Annotated[int, Field(description="shared samples")]
    mean: float | None
    ci: Interval | None
    strength: Annotated[
        float | None,
        Field(description="Bradley-Terry log-strength, mean 0: one d higher wins 1 / (1 + exp(-d)) of the samples"),
    ]
    strength_ci: Interval | None


class PairFigures(Record):
    """The second run minus the first, on the samples that both have a score of."""

    category: Annotated[str | None, Field(description="null: all of them")]
    alias: str | None
    n: int
    images: Annotated[int, Field(description="different source images among them")]
    first_mean: float | None
    second_mean: float | None
    difference: float | None
    ci: Interval | None
    wins: Annotated[int, Field(description="samples at which the second is better")]
    ties: int
    losses: int
    p: Annotated[float | None, Field(description="of no difference, two-sided")]


class Pair(Record):
    """Two of the runs."""

    first: Annotated[str, Field(description="run id")]
    second: str
    overall: PairFigures
    p_holm: Annotated[float | None, Field(description="`p` after as many tests as there are pairs")]
    only_first: Annotated[int, Field(description="shared samples that only the first has a score of")]
    only_second: int
    categories: Sequence[PairFigures]


class ComparedDimension(Record):
    """One dimension of one scorer, in all runs."""

    scorer: str
    dimension: str
    scale: tuple[float, float]
    standings: Annotated[Sequence[Standing], Field(description="the best first")]
    pairs: Sequence[Pair]


class RowOfRun(Record):
    """A run in an official table: over all that it was asked, as in its own report."""

    run: str
    edits: int
    cells: Annotated[Sequence[OfficialCell], Field(description="in the order of the columns")]


class ComparedTable(Record):
    """A table as a benchmark's papers have it, of one scorer, with a row for each run."""

    title: str
    scorer: str
    total: Annotated[str, Field(description="which mean it is of: `micro` or `macro`")]
    columns: Sequence[str]
    digits: Annotated[int, Field(description="behind the point, as the benchmark prints them")]
    rows: Sequence[RowOfRun]


class Methods(Record):
    """How the numbers were found."""

    sample: str = "mean over a sample's repeats and judge repeats"
    interval: str
    test: str
    ranking: str


class Comparison(Record):
    """Several runs beside each other."""

    schema_: Annotated[str, Field(alias="schema", serialization_alias="schema")] = SCHEMA
    runs: Sequence[ComparedRun]
    shared_samples: Annotated[int, Field(description="samples that every run was asked")]
    notes: Annotated[Sequence[str], Field(description="what makes the runs less alike than they should be")]
    methods: Methods
    dimensions: Sequence[ComparedDimension]
    official: Annotated[Sequence[ComparedTable], Field(description="empty: they do not follow one recipe")] = ()
