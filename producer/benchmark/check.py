"""The check of a whole benchmark before anything of it is taken, and its identity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from db.configuration import first_fault
from db.decode import decode_image
from db.errors import ImageFault, one_line
from db.intake import ContentDigest
from db.judge_prompts import built_in_prompts
from db.prompts import OwnPrompt, benchmark_prompt, names_of
from producer.benchmark.digests import Digests
from producer.benchmark.faults import Faults
from producer.benchmark.sample import Benchmark, Fault, FieldFault, Sample, image_digests, kind_of, sample_row
from producer.benchmark.seen_keys import SeenKeys
from producer.benchmark.text_values import check_name, check_text


@dataclass(frozen=True)
class Checked:
    """A benchmark without faults. `digest` identifies it by its content, whatever its file is called.

    `several_sources` are samples with more than one source image; `image_count` is of distinct images, counted up to
    `digests.REMEMBERED`. `categories` says how many samples each has, in the order of the benchmark. `prompts` are the
    judge's prompts that it brings, by category; they belong to a run, not to the digest.
    """

    digest: str
    name: str
    sample_count: int
    without_reference: int
    several_sources: int
    image_count: int
    categories: Mapping[str, int]
    prompts: Mapping[str, OwnPrompt]


def check_benchmark(benchmark: Benchmark, consequence: str = "nothing was submitted") -> Checked:
    """Read the benchmark once and check every sample.

    Raises FaultsFound with the faults, each by its place, and what comes of them.
    """
    faults = Faults()
    digest, decoded, counted = ContentDigest(), Digests(), Counter[str]()
    categories: Counter[str] = Counter()
    with SeenKeys() as keys:
        for item in benchmark:
            if isinstance(item, Fault):
                faults.add(item)
                continue
            row = sample_row(item, counted["samples"])
            faults.add(*_faults_of_key(item, keys), *_faults_of_images(item, row, decoded))
            digest.add(row)
            categories[row["category"]] += 1
            counted.update(samples=1, without_reference=item.reference is None, several=bool(item.more_sources))
    faults.add(*_faults_of_name(benchmark.name), *_faults_of_prompts(benchmark.prompts))
    if not faults.count and not counted["samples"]:
        faults.add("it has no samples")
    if not faults.count:
        faults.add(*_prompts_of_nothing(benchmark.prompts, categories))
    faults.require_none(benchmark.path, consequence)
    return Checked(
        digest=digest.hexdigest(),
        name=benchmark.name,
        sample_count=counted["samples"],
        without_reference=counted["without_reference"],
        several_sources=counted["several"],
        image_count=len(decoded),
        categories=categories,
        prompts=benchmark.prompts,
    )


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


def _prompts_of_nothing(prompts: Mapping[str, OwnPrompt], categories: Mapping[str, int]) -> Iterator[Fault]:
    """Yield a fault for each prompt that no sample would be judged by; a category without one has the built-in one."""
    spoken_of = {name for category in categories for name in names_of(category)}
    known = one_line(", ".join(categories), longest=300)
    for category, own in prompts.items():
        if category not in spoken_of:
            yield Fault(own.place, f"prompt of category {category!r}: no sample is of that category; there are {known}")


def _faults_of_key(sample: Sample, keys: SeenKeys) -> Iterator[Fault]:
    first = keys.first_place(sample.category, sample.key, sample.place)
    if first is not None:
        used = f"key {sample.key!r} of category {sample.category!r} was used before, at {first}"
        yield Fault(sample.place, used, sample.spot)


def _faults_of_images(sample: Sample, row: Mapping[str, Any], decoded: Digests) -> Iterator[Fault]:
    """Yield what is wrong with the images; one that was decoded before is not decoded again."""
    for (use, content), digest in zip(sample.images(), image_digests(row), strict=True):
        if digest in decoded:
            continue
        try:
            decode_image(content)
        except ImageFault as error:
            yield Fault(sample.place, f"{use}: {error}", sample.spot)
        else:
            decoded.add(digest)
