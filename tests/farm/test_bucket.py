"""A farm whose images lie in a bucket of a real S3 server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.farm.conftest import FarmUnderTest
from tests.farm.steps import finish, rows, submit
from tests.s3 import S3Server

pytestmark = pytest.mark.integration


def test_a_farm_on_a_bucket_runs_reports_and_is_looked_after(
    farm: FarmUnderTest, s3_server: S3Server, bucket: str, tmp_path: Path
) -> None:
    address = f"s3://{bucket}/farm"
    farm.environment |= {**s3_server.environment(), "FARM_IMAGES": address}
    farm.farm("--workers", "2")

    run = submit(farm, pairs=3)
    finish(farm, run, edits_done=3)

    edited = str(rows(farm)[0].image)
    shown = json.loads(farm.producer("show", run, "p-0", "--json"))
    assert shown["edits"][0]["image"] == {
        "digest": edited,
        "path": f"{address}/{edited[:2]}/{edited}",
        "fault": None,
    }
    page = tmp_path / "page"
    farm.producer("report", run, "--format", "html", "-o", page)
    with Image.open(page / "originals" / edited[:2] / edited) as original:
        assert original.format == "PNG"
    assert (page / "images" / f"{edited}.webp").is_file()
    assert '"originals":"originals/"' in (page / "index.html").read_text()
    assert "removed 0 files" in farm.producer("gc")
    assert not (farm.home / "images").exists()


@pytest.mark.chaos
def test_a_bucket_that_is_not_there_and_a_server_that_is_away_end_a_submit_in_one_line(
    farm: FarmUnderTest, s3_server: S3Server
) -> None:
    farm.environment |= {**s3_server.environment(), "FARM_IMAGES": "s3://no-such-bucket/farm"}
    with pytest.raises(AssertionError, match=r"^exit code 2\s+error: the image store s3://no-such-bucket/farm has no"):
        submit(farm, pairs=1)
    farm.environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    with pytest.raises(AssertionError, match=r"^exit code 3\s+error: the image store .* does not answer: Could not"):
        submit(farm, pairs=1)
