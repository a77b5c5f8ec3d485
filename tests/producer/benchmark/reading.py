"""Benchmarks as the tests read them: all samples, or all faults, and broken images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.faults import FaultsFound
from producer.benchmark.how import HowToRead
from producer.benchmark.sample import Fault, Sample
from tests.hostile import png_of, truncated, zeros

NO_IMAGE = b"no image at all"
CUT_SHORT = truncated("PNG")
BOMB = png_of(12_000, 12_000, zeros(1000))

SAID_OF_NO_IMAGE = "image is not decodable: none of PNG, JPEG, WEBP, BMP, TIFF, GIF"
SAID_OF_BOMB = "image is 12000 x 12000; at most 100,000,000 pixels and 32,768 on a side are read"
SAID_OF_CUT_SHORT = "image is not decodable: image file is truncated"

NOT_CALLED = "looked for edit_instruction, instruction; --column instruction=NAME names another column"


def samples_in(path: Path, **how: Any) -> list[Sample]:
    """Return the samples of a benchmark that the check has nothing against."""
    benchmark = open_benchmark(path, HowToRead(**how))
    check_benchmark(benchmark)
    return [item for item in benchmark if isinstance(item, Sample)]


def found_in(path: Path, **how: Any) -> list[Fault]:
    """Return the faults that the check finds, at once."""
    with pytest.raises(FaultsFound) as caught:
        check_benchmark(open_benchmark(path, HowToRead(**how)))
    assert caught.value.count == len(caught.value.named)
    assert all(str(one).isprintable() for one in caught.value.named)
    return [one if isinstance(one, Fault) else Fault("", one) for one in caught.value.named]


def faults_in(path: Path, **how: Any) -> list[str]:
    """Return what the check says of each fault."""
    return [str(one) for one in found_in(path, **how)]


def spots_in(path: Path, **how: Any) -> list[tuple[int | None, str | None, int | None]]:
    """Return where each fault is, for programs: row, key and byte."""
    return [(one.spot.row, one.spot.key, one.spot.byte) for one in found_in(path, **how)]
