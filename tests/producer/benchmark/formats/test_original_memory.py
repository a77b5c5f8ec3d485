"""The original layout: a large file is checked in little memory."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import original_file, pair, png

CHECK_AND_MEASURE = """
import sys
from pathlib import Path
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark

def peak():  # not `ru_maxrss`, which begins with that of the process that started this one
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

check_benchmark(open_benchmark(Path(sys.argv[1])))
before = peak()
count = check_benchmark(open_benchmark(Path(sys.argv[2]))).sample_count
print(count, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_large_file_is_checked_in_little_memory(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    small, large = original_file(tmp_path / "small", pairs=1), tmp_path / "large.json"
    image = base64.b64encode(png() + bytes(750_000)).decode()  # what follows a PNG's end is not decoded
    with large.open("w") as file:
        file.write('{"categories": [{"pairs": [')
        for number in range(60):
            file.write("," * bool(number) + json.dumps(pair(f"p-{number}", original_image_b64=image)))
        file.write('], "name": "物理"}]}')
    assert large.stat().st_size > 60e6

    measured = subprocess.run(
        [sys.executable, "-c", CHECK_AND_MEASURE, str(small), str(large)], capture_output=True, text=True, check=True
    )

    count, kilobytes = map(int, measured.stdout.split())
    assert count == 60
    assert kilobytes < 40_000
