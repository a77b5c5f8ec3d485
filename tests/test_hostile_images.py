"""Hostile images on their whole way: through the decoder, the check of a benchmark, and a worker's edit."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from db.decode import decode_image
from db.errors import BenchmarkInvalid, ImageFault
from db.images import FolderStore
from db.jobs import EditClaim, Failure
from db.options import EditorOptions
from db.tables import FailureKind, Stage
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from tests.factories import configuration, original_file, pair, without_bytes
from tests.hostile import ODD, REFUSED
from tests.workers.steps import Hosting, made
from workers.models.pillow_editor import PillowEditor
from workers.stint.perform import Made

MOST_SECONDS = 3.0
MOST_MEGABYTES = 100


def edit_of(content: bytes, images: FolderStore) -> Made | Failure:
    """Make the edit of an image that is in the store, whoever put it there."""
    claim = EditClaim(
        stage=Stage.EDIT,
        job_id=1,
        attempt=1,
        run_id="run",
        key="p-1",
        category="物理",
        repeat=0,
        instruction="invert the colours",
        source_image=images.put(content),
        seed=1,
        tried_before=False,
        model=configuration(editor="pillow").editor,
    )
    return made(claim, images, Hosting(PillowEditor(EditorOptions())))


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_image_is_one_clear_fault_of_its_sample_and_of_its_edit(
    name: str, tmp_path: Path, images: FolderStore
) -> None:
    content = REFUSED[name]()
    (tmp_path / "hostile").write_bytes(content)

    with pytest.raises(ImageFault) as fault:
        decode_image(content)
    reason = str(fault.value)
    with pytest.raises(BenchmarkInvalid) as refused:
        check_benchmark(open_benchmark(original_file(tmp_path, {"categories": {"a": [pair("p"), bad_pair()]}})))
    outcome = edit_of(content, images)

    assert reason.startswith("image is ")
    assert reason.isprintable()
    assert len(reason) < 400
    assert [*map(without_bytes, refused.value.faults)] == [f"categories['a'].pairs[1] (bad): source image: {reason}"]
    assert outcome == Failure(FailureKind.INPUT, reason, again=False)


def bad_pair() -> dict[str, object]:
    return pair("bad", original_image_b64=None, original_image="hostile")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_image_is_read_as_what_it_shows(name: str, tmp_path: Path, images: FolderStore) -> None:
    make, colour = ODD[name]
    content = make()
    in_base64 = base64.b64encode(content).decode()

    decoded = decode_image(content)
    checked = check_benchmark(
        open_benchmark(original_file(tmp_path, {"categories": {"a": [pair("p", original_image_b64=in_base64)]}}))
    )
    outcome = edit_of(content, images)

    assert decoded.mode == "RGB"
    assert decoded.getpixel((0, 0)) == pytest.approx(colour, abs=2)  # lossy formats
    assert checked.sample_count == 1
    assert isinstance(outcome, Made), outcome


MEASURE = """
import json, sys, time
from db.decode import decode_image
from db.errors import ImageFault
from tests.hostile import ODD, REFUSED

def peak_megabytes():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

decode_image(ODD["animated PNG"][0]())  # Pillow and its plugins are loaded
measured = {}
for name, make in {**REFUSED, **{name: make for name, (make, _) in ODD.items()}}.items():
    content = make()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak starts anew
    before, started = peak_megabytes(), time.process_time()
    try:
        decode_image(content)
    except ImageFault:
        pass
    measured[name] = (time.process_time() - started, peak_megabytes() - before)
print(json.dumps(measured))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of one step is read from /proc")
def test_no_hostile_image_takes_long_or_much_memory() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr

    measured = json.loads(done.stdout)

    assert set(measured) == {*REFUSED, *ODD}
    assert {name: took for name, took in measured.items() if took[0] > MOST_SECONDS or took[1] > MOST_MEGABYTES} == {}
