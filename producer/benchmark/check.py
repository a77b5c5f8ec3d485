"""The check of a whole benchmark before anything of it is taken, and its identity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from db.decode import decode_image
from db.errors import BenchmarkInvalid, ImageFault
from db.intake import ContentDigest
from producer.benchmark.sample import Benchmark, Fault, Sample, sample_row


@dataclass(frozen=True)
class Checked:
    """A benchmark without faults. `digest` identifies it by its content, whatever its file is called."""

    digest: str
    name: str
    sample_count: int
    without_reference: int


def check_benchmark(benchmark: Benchmark) -> Checked:
    """Read the benchmark once and check every sample. Raises BenchmarkInvalid with every fault, by its place."""
    faults: list[str] = []
    digest, count, without_reference = ContentDigest(), 0, 0
    places: dict[tuple[str, str], str] = {}
    for item in benchmark:
        if isinstance(item, Fault):
            faults.append(str(item))
            continue
        faults.extend(str(fault) for fault in _faults_of(item, places))
        digest.add(sample_row(item, count))
        count += 1
        without_reference += item.reference is None
    if not faults and not count:
        faults.append("it has no samples")
    if faults:
        wrong = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        raise BenchmarkInvalid(f"{benchmark.path}: {wrong}, nothing was submitted", tuple(faults))
    return Checked(digest.hexdigest(), benchmark.name, count, without_reference)


def _faults_of(sample: Sample, places: dict[tuple[str, str], str]) -> Iterator[Fault]:
    first = places.get((sample.category, sample.key))
    if first is None:
        places[sample.category, sample.key] = sample.place
    else:
        yield Fault(sample.place, f"key {sample.key!r} of category {sample.category!r} was used before, at {first}")
    for field, content in (("source image", sample.source), ("reference image", sample.reference)):
        if content is None:
            continue
        try:
            decode_image(content)
        except ImageFault as error:
            yield Fault(sample.place, f"{field}: {error}")
