"""From a benchmark file and the edited images of its samples to a run in the ledger, of which only scores are to come.

Everything is checked before anything is taken: the benchmark first, then the images, with all their faults at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.configuration import RunConfiguration
from db.doorbells import Send, ring_owed
from db.errors import BenchmarkInvalid
from db.given import asked_positions, enter_given, with_images
from db.images import ImageStore
from db.ledger import Ledger
from producer.benchmark.check import check_benchmark
from producer.benchmark.faults import Faults
from producer.benchmark.formats.rows import SUFFIXES
from producer.benchmark.sample import Benchmark
from producer.given_edits.folder import InFolder, find_in_folder, listed
from producer.given_edits.names import Named, Names
from producer.given_edits.pictures import check_pictures, store_pictures
from producer.given_edits.table import find_in_table
from producer.submit import Submitted, enter_benchmark, with_known_categories

NOTHING_TAKEN = "nothing was submitted"


@dataclass(frozen=True)
class Given:
    """A run whose images were given: `missing` of its `asked` edits have none, `unused` files belong to no sample."""

    submitted: Submitted
    asked: int
    missing: int
    unused: Sequence[str]


def submit_given(
    benchmark: Benchmark,
    edits: Path,
    configuration: RunConfiguration,
    *,
    ledger: Ledger,
    images: ImageStore,
    send: Send,
) -> Given:
    """Check the benchmark and the images, then store both, enter the run with its edits, and only then send messages.

    `edits` is a folder or a table. Submitting the same images again finds the same run: those that are lost are stored
    again, scores that were cancelled are queued again. Raises BenchmarkInvalid, with nothing taken, or
    ServiceUnreachable.
    """
    named = Named(benchmark)
    checked = check_benchmark(named)
    configuration = with_known_categories(configuration, checked)
    faults = Faults()
    found = _find(edits, named.names, asked_positions(named.names.samples, configuration), faults)
    given = check_pictures(found.edits, faults)
    if not faults.count and not any(edit.image for edit in given):
        faults.add(_nothing_fits(named.names, found, edits))
    faults.require_none(edits, NOTHING_TAKEN)
    asked = with_images(configuration, given).with_prompts(checked.prompts)
    enter_benchmark(benchmark, checked, ledger=ledger, images=images)
    store_pictures(found.edits, given, images)
    run_id, new = enter_given(ledger.engine, checked.digest, asked, given, checked.prompts)
    if not new:
        ledger.resume(run_id)
    ring_owed(ledger, send)
    missing = sum(edit.image is None for edit in given)
    return Given(Submitted(run_id, checked, new), len(given), missing, found.unused)


def _find(edits: Path, names: Names, asked: Collection[int], faults: Faults) -> InFolder:
    if edits.is_dir():
        return find_in_folder(edits, names, asked, faults)
    if edits.suffix.lower() not in SUFFIXES:
        found = "no table by its name" if edits.exists() else "not there"
        raise BenchmarkInvalid(f"{edits}: is {found}; expected a folder, or a table ({', '.join(SUFFIXES)})")
    return InFolder(find_in_table(edits, names, asked, faults), [], [])


def _nothing_fits(names: Names, found: InFolder, edits: Path) -> str:
    positions = {edit.position for edit in found.edits}
    example = names.shown(min(positions, default=0))
    there = f"there is {listed(found.files)}" if found.files else "there is no image file"
    there = there if edits.is_dir() else "the table names none"
    return f"none of {len(positions):,} samples has an image: looked for {example}, {there}"
