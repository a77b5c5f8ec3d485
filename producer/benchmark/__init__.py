"""Benchmarks in: one reader per format, one stream of samples out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from db.errors import BenchmarkInvalid
from producer.benchmark.files import open_regular
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.json_lines import JsonLines
from producer.benchmark.layouts import PLAIN
from producer.benchmark.original import Original
from producer.benchmark.record import Records
from producer.benchmark.sample import Benchmark

_READERS: dict[str, Callable[[Path], Records]] = {".json": Original, ".jsonl": JsonLines, ".ndjson": JsonLines}


def open_benchmark(path: Path) -> Benchmark:
    """Return the reader for the file, chosen by its suffix. Raises BenchmarkInvalid when it cannot be read at all."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BenchmarkInvalid(f"{path}: no reader for this kind of file; expected {', '.join(_READERS)}")
    try:
        with open_regular(path):
            return RecordBenchmark(reader(path), PLAIN)
    except OSError as error:
        raise BenchmarkInvalid(f"{path}: cannot be read: {error.strerror}") from error
