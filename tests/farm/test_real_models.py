"""The whole farm on tiny checkpoints of the real architectures: real pipelines, workers, broker and database."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import select

from db.engine import reading
from db.images import FolderStore
from db.tables import edits, scores
from tests.farm.conftest import ROOT, FarmAt, FarmUnderTest
from workers.__main__ import main

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SAMPLE = ROOT / "examples" / "benchmark.json"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m workers make-tiny` writes."""
    folder = tmp_path_factory.mktemp("tiny")
    made = CliRunner().invoke(main, ["make-tiny", str(folder)])
    assert made.exit_code == 0, made.output
    return folder


def models(tiny: Path, *more: str) -> list[str]:
    chosen = ["--editor", str(tiny / "editor"), "--scorer", str(tiny / "judge"), "--limit", "3"]
    return [*chosen, "--set", "editor.num_inference_steps=2", "--set", "editor.size=128x128", *more]


def outcomes(farm: FarmUnderTest) -> list[tuple[str, float]]:
    """Return the edited image's digest and the score of every sample, in their order."""
    engine = farm.engine()
    both = select(edits.c.image, scores.c.value).join(scores, scores.c.edit_id == edits.c.id).order_by(edits.c.id)
    with reading(engine) as connection:
        found = [(row.image, row.value) for row in connection.execute(both)]
    engine.dispose()
    return found


@pytest.mark.chaos
def test_two_runs_on_one_machine_give_the_same_images_and_scores(tmp_path: Path, broker_url: str, tiny: Path) -> None:
    def run(folder: Path, workers: int) -> FarmUnderTest:
        folder.mkdir()
        farm = FarmUnderTest(folder, None, None)
        report = json.loads(farm.producer("run", SAMPLE, *models(tiny), "--workers", workers, "--json"))
        assert report["progress"]["scores"]["done"] == 3
        return farm

    one, two = run(tmp_path / "one", 1), run(tmp_path / "two", 2)

    assert outcomes(one) == outcomes(two)
    assert len({image for image, _ in outcomes(one)}) == 3


@pytest.mark.chaos
def test_workers_for_each_stage_edit_and_judge_and_say_where(
    farm_at: FarmAt, broker_url: str, postgres_url: str, tiny: Path
) -> None:
    farm = farm_at(broker_url, postgres_url)
    for queues in ("edit", "score"):
        farm.worker(queues, CUDA_VISIBLE_DEVICES="")

    run = farm.producer("submit", SAMPLE, *models(tiny, "--scorer", "psnr")).strip()
    farm.producer("watch", run)
    report = farm.report(run)

    assert [scorer["dimensions"][0]["overall"]["scored"] for scorer in report["scorers"]] == [3, 3]
    by_model = {}
    for environment in report["provenance"]["environments"]:
        about = environment["facts"]["model"]
        by_model[about.get("pipeline") or about.get("network")] = environment
    assert by_model["QwenImageEditPlusPipeline"]["edits"] == 3
    assert by_model["Qwen3VLForConditionalGeneration"]["scores"] == 3
    assert {"torch", "diffusers", "pillow"} <= set(by_model["QwenImageEditPlusPipeline"]["facts"]["libraries"])
    prompts = report["provenance"]["configuration"]["scorers"][0]["options"]["prompts"]
    assert "obey physics" in prompts["物理"]["user"]
    [image, *_] = (image for image, _ in outcomes(farm))
    assert Image.open(io.BytesIO(FolderStore(farm.home / "images").get(image))).format == "PNG"


def test_one_worker_for_both_stages_swaps_and_says_how_long_it_took(farm: FarmUnderTest, tiny: Path) -> None:
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="")

    run = farm.producer("submit", SAMPLE, *models(tiny)).strip()
    farm.producer("watch", run)

    lines = (farm.folder / "worker-edit,score.log").read_text().splitlines()
    (swapped,) = [json.loads(line) for line in lines if '"model.swapped"' in line]  # every edit goes before any score
    assert (swapped["model"], swapped["instead_of"]) == ("judge", "editor")
    assert swapped["seconds"] > 0
    networks = [one["facts"]["model"] for one in farm.report(run)["provenance"]["environments"]]
    assert {about.get("pipeline") or about.get("network") for about in networks} == {
        "QwenImageEditPlusPipeline",
        "Qwen3VLForConditionalGeneration",
    }


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--set", "editor.guidance_scale=3", "--set", "editor.image_guidance_scale=2"],
            "takes no image_guidance_scale",
        ),
        (["--set", "editor.attention=flash"], "attention 'flash' cannot be had here"),
    ],
)
def test_an_option_that_the_model_does_not_take_fails_every_edit_at_once_with_its_reason(
    bare_farm: FarmUnderTest, tiny: Path, options: list[str], said: str
) -> None:
    report = json.loads(bare_farm.producer("run", SAMPLE, *models(tiny, *options), "--workers", 1, "--json", code=1))

    assert {failure["kind"] for failure in report["failures"]} == {"model"}
    assert all(said in failure["reason"] for failure in report["failures"])
    assert len(report["failures"]) == 3
