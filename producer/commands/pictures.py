"""Writes galleries where commands want them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.farm import engine, images
from db.settings import farm_home
from producer.report.schema import Report


def write_pictures(reports: Sequence[Report], output: Path | None = None, *, single_file: bool = False) -> Path:
    """Write the gallery of one run, or of several side by side; return the path of its page."""
    from producer.report.gallery.write import write_gallery

    name = "-".join(report.run for report in reports)
    place = output or farm_home() / "reports" / (f"{name}.html" if single_file else name)
    return write_gallery(reports, engine(), images(), place, single_file=single_file)
