"""From a benchmark file to a run in the ledger and messages in the queue."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from db.categories import category_called
from db.configuration import RunConfiguration
from db.doorbells import Send, ring_owed
from db.errors import BenchmarkInvalid
from db.images import ImageStore, faults_among
from db.intake import enter_run, enter_samples, has_benchmark
from db.intake import image_digests as entered_images
from db.ledger import Ledger
from producer.benchmark.check import Checked, check_benchmark
from producer.benchmark.digests import Digests
from producer.benchmark.sample import Benchmark, Fault, image_digests, sample_row
from producer.recipes.follow import require_asked
from producer.storing import Storing

CHUNK = 500
"""Samples entered in one transaction."""


@dataclass(frozen=True)
class Submitted:
    """A run that is in the ledger, with its messages sent; `new` is False when it was asked for before."""

    run_id: str
    benchmark: Checked
    new: bool


def submit(
    benchmark: Benchmark, configuration: RunConfiguration, *, ledger: Ledger, images: ImageStore, send: Send
) -> Submitted:
    """Check the whole benchmark, then store its images, enter its samples and the run, and only then send messages.

    Submitting the same again finds the same run: images that are lost or damaged are stored again, what was cancelled
    is queued again, what is owed a message gets one.
    Raises BenchmarkInvalid or, for a category that there is not, or of which a rubric asks nothing, WrongCall, with
    nothing taken; or ServiceUnreachable.
    """
    checked = check_benchmark(benchmark)
    asked = with_known_categories(configuration, checked).with_prompts(checked.prompts)
    enter_benchmark(benchmark, checked, ledger=ledger, images=images)
    run_id, new = enter_run(ledger.engine, checked.digest, asked, checked.prompts)
    if not new:
        ledger.resume(run_id)
    ring_owed(ledger, send)
    return Submitted(run_id, checked, new)


def with_known_categories(configuration: RunConfiguration, checked: Checked) -> RunConfiguration:
    """Return the configuration with its categories as the benchmark names and orders them.

    Raises WrongCall for a category that there is not, or of which a rubric asks nothing.
    """
    known = list(checked.categories)
    if configuration.categories is not None:
        chosen = {category_called(given, known) for given in configuration.categories}
        known = [name for name in known if name in chosen]
        configuration = configuration.model_copy(update={"categories": tuple(known)})
    require_asked(configuration, known)
    return configuration


def enter_benchmark(benchmark: Benchmark, checked: Checked, *, ledger: Ledger, images: ImageStore) -> None:
    """Enter the samples of a benchmark that was checked, and store their images, unless all of it is there."""
    engine = ledger.engine
    if not has_benchmark(engine, checked.digest) or any(
        faults_among(entered_images(engine, checked.digest), images.fault)
    ):
        # Closed here: else the thread that collects garbage waits for those that store, maybe within their lock.
        with closing(_sample_rows(benchmark, images)) as chunks:
            enter_samples(engine, checked.digest, checked.name, checked.sample_count, chunks)


def _sample_rows(benchmark: Benchmark, images: ImageStore) -> Generator[Sequence[Mapping[str, Any]], None, None]:
    """Read the benchmark a second time; yield rows of `samples` in chunks, each when the images it names are stored."""
    rows: list[Mapping[str, Any]] = []
    stored = Digests()
    with Storing(images) as storing:
        for position, sample in enumerate(benchmark):
            if isinstance(sample, Fault):
                raise BenchmarkInvalid(f"{benchmark.path} changed while it was read: {sample}")
            row = sample_row(sample, position)
            for (_, content), digest in zip(sample.images(), image_digests(row), strict=True):
                if stored.add(digest):
                    storing.put(content)
            rows.append(row)
            if len(rows) == CHUNK:
                storing.wait()
                yield rows
                rows = []
        storing.wait()
        yield rows
