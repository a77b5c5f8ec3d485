"""The benchmark files of `samples`, beside this, as Parquet: images by their paths, or inside."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetWriter, read_metadata, write_table

from benchmarks.measured_farm.samples import sample_row, with_remark, write_images

GROUP_ROWS = 100
"""As Hugging Face's tools write images: rows that are stored, and read, together."""

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_SCHEMA = pa.schema([*((name, pa.string()) for name in ("key", "category", "instruction")), ("image", _IMAGE)])


def write_parquet(folder: Path, samples: int, *, images: list[bytes], name: str = "benchmark") -> Path:
    """Write what `write_lines` writes; return the file."""
    paths = write_images(folder, images)
    rows = [sample_row(name, number, paths[number % len(paths)]) for number in range(samples)]
    path = folder / f"{name}.parquet"
    write_table(pa.Table.from_pylist(rows), path)
    return path


def write_parquet_with_images(folder: Path, samples: int, *, images: list[bytes], name: str = "benchmark") -> Path:
    """Write samples with these images in turns inside the file, each with a remark of its own; return the file."""
    path = folder / f"{name}.parquet"
    with ParquetWriter(path, _SCHEMA) as writer:
        for first in range(0, samples, GROUP_ROWS):
            rows = [_with_image(name, number, images) for number in range(first, min(first + GROUP_ROWS, samples))]
            writer.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA))
    return path


def _with_image(name: str, number: int, images: list[bytes]) -> dict[str, object]:
    content = with_remark(images[number % len(images)], f"number {number}")
    return {**sample_row(name, number, ""), "image": {"bytes": content, "path": None}}


def largest_group_bytes(file: Path) -> int:
    """Return the size of the file's largest row group, decompressed."""
    metadata = read_metadata(file)
    return max(int(metadata.row_group(number).total_byte_size) for number in range(metadata.num_row_groups))
