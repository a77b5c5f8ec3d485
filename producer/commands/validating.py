"""The command that only checks: `validate`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import rich_click as click

from db.command import say
from db.errors import BenchmarkInvalid
from producer.commands.options import benchmark_argument, json_flag
from producer.commands.output import print_json

if TYPE_CHECKING:
    from producer.benchmark.check import Checked
    from producer.benchmark.how import HowToRead
    from producer.benchmark.hub.address import Where
    from producer.benchmark.sample import Fault

CONSEQUENCE = "it would not be taken"


@click.command()
@benchmark_argument
@json_flag
def validate(benchmark: Where, how: HowToRead, as_json: bool) -> int:
    """Check a whole benchmark as `submit` does, and enter nothing; every fault is named by its place."""
    from producer.benchmark import open_benchmark
    from producer.benchmark.check import check_benchmark

    try:
        opened = open_benchmark(benchmark, how)
        checked = check_benchmark(opened, CONSEQUENCE)
    except BenchmarkInvalid as found:
        if not as_json:
            raise
        print_json(_document_of_faults(found))
        say(f"error: {found}")
        return found.exit_code
    for remark in opened.remarks():
        say(remark)
    if as_json:
        print_json(_document(checked, opened.layout_name))
    else:
        for line in _lines(checked, opened.layout_name):
            click.echo(line)
    return 0


def _document(checked: Checked, layout: str) -> dict[str, Any]:
    return {
        "valid": True,
        "benchmark": checked.digest,
        "name": checked.name,
        "format": layout,
        "samples": checked.sample_count,
        "images": checked.image_count,
        "without_reference": checked.without_reference,
        "several_sources": checked.several_sources,
        "categories": checked.categories,
        "prompts": list(checked.prompts),
    }


def _document_of_faults(found: BenchmarkInvalid) -> dict[str, Any]:
    from producer.benchmark.faults import FaultsFound

    named, count = (found.named, found.count) if isinstance(found, FaultsFound) else ([str(found)], 1)
    return {"valid": False, "fault_count": count, "faults": [_fault(one) for one in named]}


def _fault(fault: Fault | str) -> dict[str, Any]:
    if isinstance(fault, str):
        return {"place": None, "row": None, "key": None, "byte": None, "message": fault}
    spot = fault.spot
    names = {"row": spot.row, "key": spot.key, "byte": spot.byte}
    return {"place": fault.place, **names, "message": fault.message}


def _lines(checked: Checked, layout: str) -> Iterator[str]:
    from db.categories import with_alias
    from db.prompts import names_of
    from producer.benchmark.digests import REMEMBERED

    images = f"{checked.image_count:,}" if checked.image_count < REMEMBERED else f"{REMEMBERED:,} or more"
    with_reference = checked.sample_count - checked.without_reference
    yield f"{checked.name}: {checked.sample_count:,} samples, format {layout}"
    yield f"  images: {images} distinct"
    yield f"  with a reference image: {with_reference:,}; with several sources: {checked.several_sources:,}"
    yield f"  digest: {checked.digest}"
    for category, count in checked.categories.items():
        without = (
            ""
            if not checked.prompts or checked.prompts.keys() & {*names_of(category)}
            else ", judged by the built-in prompt"
        )
        yield f"  {with_alias(category)}: {count:,}{without}"
