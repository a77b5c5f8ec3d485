"""Nothing is lost and nothing counted twice, whatever dies, hangs or vanishes in the middle of it."""

from __future__ import annotations

import pytest

from tests.farm.storm import report
from tests.farm.storm.run import weather
from tests.farm.storm.scene import Plan

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]


def told(storm: report.Weathered) -> str:
    return "\n".join([*report.violations(storm), *report.notes(storm), report.faults_table([storm])])


@pytest.mark.chaos
@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_after_a_short_storm_every_job_has_ended_once_and_every_worker_works(database: str) -> None:
    storm = weather(Plan(database, seed=7, minutes=25 / 60, workers=3, jobs=30))

    assert not storm.violations, told(storm)
    assert len(storm.deeds) >= 8
    assert storm.jobs["done"] >= 27 * 3  # one sample kills its process; the storm may hit another three times
    assert storm.claims_again >= 2  # the sample that kills its process, if no one else
