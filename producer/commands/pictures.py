"""Writes galleries where commands want them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import WrongCall
from producer.commands.output import require_file

if TYPE_CHECKING:
    from producer.comparison.schema import Comparison
    from producer.report.schema import Report


_NAMED = 4
"""So many runs are named in the name of a gallery of several."""


def write_pictures(
    reports: Sequence[Report],
    output: Path | None = None,
    *,
    comparison: Comparison | None = None,
    single_file: bool = False,
) -> Path:
    """Write the gallery of one run, or of several side by side; return the path of its page.

    In FARM_HOME it is this user's alone, elsewhere as everything that the user writes.
    """
    from db.farm import engine, images
    from db.settings import farm_home
    from producer.gallery.write import write_gallery

    write = partial(write_gallery, reports, engine(), images(), comparison=comparison, single_file=single_file)
    if output is not None:
        if single_file:
            require_file(output)
        elif output.exists() and not output.is_dir():
            raise WrongCall(f"-o {output}: is a file; a gallery is a folder, or one file with --single-file")
        return write(output)
    name = "-".join(report.run for report in reports[:_NAMED])
    name += f"-and-{len(reports) - _NAMED}-more" if len(reports) > _NAMED else ""
    with _private():
        return write(farm_home() / "reports" / (f"{name}.html" if single_file else name))


def write_compared_pictures(comparison: Comparison, output: Path | None = None, *, single_file: bool = False) -> Path:
    """Write the gallery of compared runs side by side; return the path of its page."""
    from db.farm import engine
    from producer.report.gather import gather_report

    reports = [gather_report(engine(), run.run) for run in comparison.runs]
    return write_pictures(reports, output, comparison=comparison, single_file=single_file)


@contextmanager
def _private() -> Iterator[None]:
    """Within the block, what is made is readable for this user alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
