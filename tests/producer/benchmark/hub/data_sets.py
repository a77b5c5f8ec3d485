"""Data sets as tests put them on the Hub, and what is read of them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow.parquet as pq

from producer.benchmark import open_benchmark
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.hub.address import where_is
from producer.benchmark.sample import Fault, Sample
from tests.producer.benchmark.formats.test_datasets import row, table

NOBODY = "http://127.0.0.1:1"


TOKEN = "hf_s3cr3tWort"


TRAIN, TEST = "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"


def parquet(*keys: str, **fields: Any) -> bytes:
    """Return a Parquet file of rows with these keys."""
    file = io.BytesIO()
    pq.write_table(table([row(key, **fields) for key in keys]), file)
    return file.getvalue()


def lines(*records: Mapping[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


def opened(address: str = "hf://o/set", **how: Any) -> RecordBenchmark:
    return open_benchmark(where_is(address), HowToRead(**how))


def samples(address: str = "hf://o/set", **how: Any) -> list[Sample]:
    found = list(opened(address, **how))
    assert not [item for item in found if isinstance(item, Fault)]
    return [item for item in found if isinstance(item, Sample)]


def keys(address: str = "hf://o/set", **how: Any) -> list[str]:
    return [sample.key for sample in samples(address, **how)]
