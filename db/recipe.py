"""What a run keeps of the recipe that it follows: which one, and the tables that its benchmark's papers print.

How edits are judged is in the scorers' rubrics (`db.rubric`); this is about what is told of their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

_Name = Annotated[str, Field(min_length=1, max_length=100)]


class OfficialColumn(BaseModel):
    """One figure: the mean of a criterion or value; of several names, of all their numbers together."""

    model_config = _STRICT

    name: _Name
    of: Annotated[tuple[str, ...], Field(min_length=1)]


class OfficialTable(BaseModel):
    """One table: a row for each category, for each group of them, or for each value of a field of the samples.

    `each`: one such table for each value of that field; `where`: only samples whose fields have these values.
    `totals`: the rows below, `micro` over all numbers of the table, `macro` over its rows' means.
    """

    model_config = _STRICT

    title: _Name
    each: str | None = None
    where: Mapping[str, str | int | float | bool] = {}
    rows: Annotated[str, Field(description="`category`, `group`, or the name of a field")] = "category"
    groups: Mapping[str, tuple[str, ...]] = {}
    columns: Annotated[tuple[OfficialColumn, ...], Field(min_length=1)]
    totals: tuple[Literal["micro", "macro"], ...] = ()
    digits: Annotated[int, Field(ge=0, le=4, description="behind the point, as the benchmark prints them")] = 2

    @model_validator(mode="after")
    def _groups_are_rows(self) -> Self:
        if (self.rows == "group") != bool(self.groups):
            raise ValueError("groups of categories are named where they are the rows, and only there")
        return self


class FollowedRecipe(BaseModel):
    """The recipe of a run; `digest` is the sha-256 of its file, `judge` the one that the benchmark's authors use."""

    model_config = _STRICT

    name: _Name
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    benchmark: str
    judge: str
    notes: tuple[str, ...] = ()
    tables: Annotated[tuple[OfficialTable, ...], Field(min_length=1)]
