"""The check of a whole benchmark before anything of it is taken, and its identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from db.configuration import first_fault
from db.decode import decode_image
from db.errors import BenchmarkInvalid, ImageFault
from db.intake import ContentDigest
from db.judge_prompts import built_in_prompts
from db.prompts import OwnPrompt, benchmark_prompt
from producer.benchmark.sample import Benchmark, Fault, Sample, kind_of, sample_row


@dataclass(frozen=True)
class Checked:
    """A benchmark without faults. `digest` identifies it by its content, whatever its file is called.

    `prompts` are the judge's prompts that it brings, by category; they belong to a run, not to the digest.
    """

    digest: str
    name: str
    sample_count: int
    without_reference: int
    prompts: Mapping[str, OwnPrompt]


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
    faults.extend(str(fault) for fault in _faults_of_prompts(benchmark.prompts))
    if not faults and not count:
        faults.append("it has no samples")
    if faults:
        wrong = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        raise BenchmarkInvalid(f"{benchmark.path}: {wrong}, nothing was submitted", tuple(faults))
    return Checked(digest.hexdigest(), benchmark.name, count, without_reference, benchmark.prompts)


def _faults_of_prompts(prompts: Mapping[str, OwnPrompt]) -> Iterator[Fault]:
    for category, own in prompts.items():
        for name, text in (("system_prompt", own.system), ("user_prompt", own.user)):
            if text is not None and not isinstance(text, str):
                yield Fault(own.place, f"{name}: expected a text, found {kind_of(text)}")
                return
        try:
            benchmark_prompt(own.system, own.user, otherwise=built_in_prompts("generate")["default"])
        except ValueError as error:
            reason = first_fault(error) if isinstance(error, ValidationError) else str(error)
            yield Fault(own.place, f"prompt of category {category!r}: {reason}")


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
