"""Galleries of runs in SQLite."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from producer.report.schema import Report
from tests.browser.scene import Edit, Sample, Score, Scorer, enter


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a gallery holds does not depend on the database."""
    return sqlite_url


@pytest.fixture
def report(engine: Engine) -> Report:
    """A run of two categories on a scale of 1 to 5; the second has no score."""
    scores = [1.0, 5.0, 5.0]
    samples = [Sample(f"k-{n}", "1" * 64, [Edit("2" * 64, scores={"s": Score(v)})]) for n, v in enumerate(scores)]
    samples.append(Sample("open", "1" * 64, [Edit()], category="<b>社会</b>" * 20))
    return enter(engine, "a" * 12, samples, [Scorer("s", scale=(1, 5))])
