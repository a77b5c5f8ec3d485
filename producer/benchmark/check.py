"""The check of a whole benchmark before anything of it is taken, and its identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from db.configuration import first_fault
from db.decode import decode_image
from db.errors import ImageFault
from db.intake import ContentDigest
from db.judge_prompts import built_in_prompts
from db.prompts import OwnPrompt, benchmark_prompt
from producer.benchmark.digests import Digests
from producer.benchmark.faults import Faults
from producer.benchmark.sample import Benchmark, Fault, FieldFault, Sample, image_digests, kind_of, sample_row
from producer.benchmark.text_values import check_name, check_text


@dataclass(frozen=True)
class Checked:
    """A benchmark without faults. `digest` identifies it by its content, whatever its file is called.

    `categories` says how many samples each has, in the order of the benchmark. `prompts` are the judge's prompts that
    it brings, by category; they belong to a run, not to the digest.
    """

    digest: str
    name: str
    sample_count: int
    without_reference: int
    categories: Mapping[str, int]
    prompts: Mapping[str, OwnPrompt]


def check_benchmark(benchmark: Benchmark) -> Checked:
    """Read the benchmark once and check every sample. Raises BenchmarkInvalid with the faults, each by its place."""
    faults = Faults()
    digest, decoded, count, without_reference = ContentDigest(), Digests(), 0, 0
    places: dict[tuple[str, str], str] = {}
    categories: Counter[str] = Counter()
    for item in benchmark:
        if isinstance(item, Fault):
            faults.add(item)
            continue
        row = sample_row(item, count)
        faults.add(*_faults_of_key(item, places), *_faults_of_images(item, row, decoded))
        digest.add(row)
        count += 1
        categories[row["category"]] += 1
        without_reference += item.reference is None
    faults.add(*_faults_of_name(benchmark.name), *_faults_of_prompts(benchmark.prompts))
    if not faults.count and not count:
        faults.add("it has no samples")
    faults.require_none(benchmark.path, "nothing was submitted")
    return Checked(digest.hexdigest(), benchmark.name, count, without_reference, categories, benchmark.prompts)


def _faults_of_name(name: str) -> Iterator[Fault]:
    try:
        check_name(name, "the benchmark's name")
    except FieldFault as fault:
        yield Fault("name", str(fault))


def _faults_of_prompts(prompts: Mapping[str, OwnPrompt]) -> Iterator[Fault]:
    for category, own in prompts.items():
        try:
            check_name(category, "the category's name")
            for name, text in (("system_prompt", own.system), ("user_prompt", own.user)):
                if text is not None and not isinstance(text, str):
                    raise FieldFault(f"{name}: expected a text, found {kind_of(text)}")
                check_text(text or "", name)
            benchmark_prompt(own.system, own.user, otherwise=built_in_prompts("generate")["default"])
        except FieldFault as fault:
            yield Fault(own.place, str(fault))
        except ValueError as error:
            reason = first_fault(error) if isinstance(error, ValidationError) else str(error)
            yield Fault(own.place, f"prompt of category {category!r}: {reason}")


def _faults_of_key(sample: Sample, places: dict[tuple[str, str], str]) -> Iterator[Fault]:
    first = places.get((sample.category, sample.key))
    if first is None:
        places[sample.category, sample.key] = sample.place
    else:
        yield Fault(sample.place, f"key {sample.key!r} of category {sample.category!r} was used before, at {first}")


def _faults_of_images(sample: Sample, row: Mapping[str, Any], decoded: Digests) -> Iterator[Fault]:
    """Yield what is wrong with the images; one that was decoded before is not decoded again."""
    for (use, content), digest in zip(sample.images(), image_digests(row), strict=True):
        if digest in decoded:
            continue
        try:
            decode_image(content)
        except ImageFault as error:
            yield Fault(sample.place, f"{use}: {error}")
        else:
            decoded.add(digest)
