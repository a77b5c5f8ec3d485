"""A recipe followed from its files to the table: real workers, and a judge behind a server of this machine."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.factories import png
from tests.farm.conftest import FarmUnderTest
from tests.judge_server import Answering, JudgeServer, Received, judge_server, says
from tests.producer.recipes.copies import write_copy

pytestmark = pytest.mark.integration

ROWS = {
    "a": ("background_change", "en", "make it night"),
    "b": ("text_change", "en", "write {{ hello }}"),
    "c": ("text_change", "cn", "变暗"),
}


def gedit_with_edits(folder: Path) -> tuple[Path, Path]:
    """Write a benchmark with GEdit-Bench's columns, and edits of it; each source has a size of its own."""
    edits = folder / "theirs"
    edits.mkdir(parents=True)
    lines = []
    for number, (key, (group, language, instruction)) in enumerate(ROWS.items(), start=1):
        for name in ("input_image", "input_image_raw"):
            (folder / f"{key}-{name}.png").write_bytes(png(width=100 * number, height=400))
        lines.append(
            {
                **{"key": key, "task_type": group, "instruction_language": language, "instruction": instruction},
                **{name: f"{key}-{name}.png" for name in ("input_image", "input_image_raw")},
                "Intersection_exist": key == "a",
            }
        )
        (edits / f"{language}_{key}.png").write_bytes(png(width=64, height=64))
    file = folder / "gedit.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    table = folder / "edits.jsonl"
    named = [
        {"key": f"{language}/{key}", "image": f"theirs/{language}_{key}.png"} for key, (_, language, _) in ROWS.items()
    ]
    table.write_text("".join(json.dumps(line) + "\n" for line in named), encoding="utf-8")
    return file, table


def judging(handler: Answering, received: Received) -> None:
    """Judge the consistency of two images, or the quality of one, as the prompt asks; of one sample nothing."""
    text, images = parts(received)
    if len(images) == 1:
        reply = '{"score": [9, 4], "reasoning": "smooth"}'
    else:
        reply = "No." if "hello" in text else '{"score": [9, 10], "reasoning": "done"}'
    says(reply)(handler, received)


def parts(received: Received) -> tuple[str, list[Image.Image]]:
    """Return the text, which stands before the images, and these."""
    first, *images = received.body["messages"][-1]["content"]
    urls = [part["image_url"]["url"] for part in images]
    assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
    return str(first["text"]), [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]


@pytest.fixture
def judge() -> Iterator[JudgeServer]:
    """A judge that outlives the farm's workers: it waits for their connections to end."""
    with judge_server() as server:
        server.script = [judging]
        yield server


def test_gedits_questions_reach_the_judge_as_its_script_asks_them_and_come_back_as_its_table(
    judge: JudgeServer, farm: FarmUnderTest
) -> None:
    file, table = gedit_with_edits(farm.folder / "benchmark")
    recipe = ("--recipe", "gedit", "--prompts", write_copy(farm.folder / "code", "gedit"))
    scorer = ("--scorer", "api", "--set", f"scorer.base_url={judge.url}")
    run = farm.producer("submit", file, "--edits", table, *recipe, *scorer).strip()
    farm.worker("score")
    farm.producer("watch", run, code=1)

    received = [(*parts(one), one.body) for one in judge.received]
    pairs = [(text, images, body) for text, images, body in received if len(images) == 2]
    assert {body["model"] for _, _, body in received} == {"gpt-4.1"}
    assert {body["max_tokens"] for _, _, body in received} == {1400}
    assert {text.splitlines()[-2] for text, _, _ in pairs} == {
        f"Editing instruction: {instruction}" for _, _, instruction in ROWS.values()
    }
    assert {images[1].size for _, images, _ in pairs} == {(512, 512)}  # the edits are square
    assert {images[0].size for _, images, _ in pairs} == {(256, 1024), (362, 724), (443, 591)}

    report = farm.report(run)
    english, chinese, _ = report["official"]["tables"]
    assert (english["title"], chinese["title"]) == ("GEdit-Bench, en", "GEdit-Bench, cn")
    assert [cell["mean"] for cell in english["rows"][0]["cells"]] == [9, 4, 6]
    assert [cell["mean"] for cell in english["rows"][1]["cells"]] == [None, None, None]
    assert [cell["failed"] for cell in english["rows"][1]["cells"]] == [1, 1, 1]
    assert chinese["rows"][-1]["cells"][2]["mean"] == 6
    assert report["scorers"][0]["dimensions"][0]["overall"]["failed"]["unparsed"] == 1


def test_a_recipe_that_does_not_fit_leaves_nothing_behind(farm: FarmUnderTest) -> None:
    file, table = gedit_with_edits(farm.folder / "benchmark")
    code = write_copy(farm.folder / "code", "imgedit")
    asked = ("submit", file, "--edits", table, "--recipe", "imgedit", "--scorer", "api")

    farm.producer(*asked, "--set", "scorer.base_url=http://127.0.0.1:1/v1", "--prompts", code, code=2)

    farm.producer("report", code=2)
