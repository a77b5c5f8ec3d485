"""What `doctor` found as data: schema `editfarm.doctor/1`.

Fields may be added within a version; one that changes its meaning or goes makes the next version. So do the names of
checks, which scripts may look for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from socket import gethostname
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from producer.doctor.finding import Group, State

SCHEMA = "editfarm.doctor/1"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Finding(_Record):
    """What one check saw; a check may see several things, or none where there is nothing to look at."""

    group: Annotated[Group, Field(description="what the check is about")]
    name: Annotated[str, Field(description="the check's name, as in docs/howto/doctor.md")]
    state: Annotated[State, Field(description="ok; note: good to know; warning; fault: the farm cannot work so")]
    seen: Annotated[str, Field(description="what was seen, in a sentence")]
    fix: Annotated[str | None, Field(description="how to mend it; null where nothing is to be mended")]


class Counts(_Record):
    """How many findings there are of each state."""

    ok: int = 0
    note: int = 0
    warning: int = 0
    fault: int = 0


class Diagnosis(_Record):
    """Everything that `python -m producer doctor` found, in the order of the checks."""

    schema_: Annotated[str, Field(alias="schema", serialization_alias="schema")] = SCHEMA
    version: Annotated[str, Field(description="of editfarm")]
    host: Annotated[str, Field(description="the machine that was looked at, and from which the others were")]
    counts: Counts
    findings: Sequence[Finding]


def counted(findings: Sequence[Finding]) -> Counts:
    """Return how many there are of each state."""
    return Counts(**{state.value: sum(one.state is state for one in findings) for state in State})


def diagnosis(findings: Sequence[Finding]) -> Diagnosis:
    """Return the findings with what they are about."""
    return Diagnosis(version=version("editfarm"), host=gethostname(), counts=counted(findings), findings=findings)
