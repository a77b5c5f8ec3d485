"""Measures the gallery: writing it for 900 samples with photos, and opening it in a browser: `benchmarks.gallery`.

Every sample has a source and an edited image of its own, 1024 x 1024, as hard to encode as photos. The command is
measured as a person calls it, into an empty folder; the page by the browser's own record, from the start of loading.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from playwright.sync_api import sync_playwright
from sqlalchemy import bindparam, select, update

from benchmarks.figures.goals import Figure, Measured, figures_table, in_rounds, publish
from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.farm import ROOT, Farm, open_farm
from benchmarks.measured_farm.finished import finish
from benchmarks.measured_farm.processes import MB, run_watched
from benchmarks.measured_farm.samples import photo_png, with_remark, write_lines
from db.engine import reading, transaction
from db.images.address import open_store
from db.settings import settings
from db.tables import edits

SAMPLES = 900
SECONDS_AT_MOST = 60.0
MB_AT_MOST = 60.0
PAINT_MS_AT_MOST = 1000.0
DRAWN = 8
TIMEOUT_SECONDS = 600.0

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_DETAIL = {
    "reasoning": "The rain is there, and the street is wet; the light has not changed with it. " * 5,
    "criteria": {"following": 7.0, "preservation": 8.5},
}
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")

_PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_FILTERED = """async () => {
    const started = performance.now();
    const search = document.querySelector('input[type=search]');
    search.value = 'of-900-77';
    search.dispatchEvent(new Event('input', {bubbles: true}));
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - started;
}"""


@click.command()
@click.option("--samples", default=SAMPLES, show_default=True, help="Of the run whose pictures are shown.")
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(samples: int, rounds: int, as_json: bool) -> None:
    """Measure what a gallery takes; markdown on stdout. Exit code 1 when a goal is missed."""
    publish(rows_of(samples, rounds), figures_table, as_json=as_json)


def rows_of(samples: int, rounds: int) -> Iterator[Measured]:
    """Yield the rows of a gallery of so many samples."""
    name = f"gallery of {samples:,} samples at 1024 x 1024"
    figures = (
        Figure.at_most(name, "written: whole command", "s", SECONDS_AT_MOST),
        Figure.at_most(name, "size of the folder", "MB", MB_AT_MOST),
        Figure(name, "peak memory of the command", "MB"),
        Figure.at_most(name, "first paint in Chromium", "ms", PAINT_MS_AT_MOST),
        Figure(name, "a search, to the next frame", "ms"),
    )
    with open_farm() as farm:
        run_id = run_with_pictures(farm, samples)
        yield from in_rounds(figures, lambda: _round(farm, run_id), rounds)


def _round(farm: Farm, run_id: str) -> Sequence[float]:
    folder = farm.folder / "gallery"
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "producer", "report", run_id, "--format", "html", "-o", str(folder)]
    spent = run_watched(command, environment=farm.environment, folder=ROOT, timeout=TIMEOUT_SECONDS)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return spent.seconds, size / MB, spent.peak_bytes / MB, *opened(folder / "index.html")


def opened(page_file: Path) -> tuple[float, float]:
    """Return after how many milliseconds the browser painted something first, and what a search took."""
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise Fell("there is no Chromium; `apt-get install chromium`, or run the tests in tests/browser, which do")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=_QUIET)
        page = chromium.new_page()
        page.goto(page_file.as_uri())
        page.wait_for_function(_PAINTED)
        painted, filtered = page.evaluate(_PAINTED), page.evaluate(_FILTERED)
        chromium.close()
    return float(painted), float(filtered)


# -- a run with pictures -----------------------------------------------------------------------------------------------


def run_with_pictures(farm: Farm, samples: int) -> str:
    """Enter a run whose samples all have photos and scores; return its id."""
    photos = [photo_png(seed) for seed in range(DRAWN)]
    sources = [with_remark(photos[number % DRAWN], f"source {number}") for number in range(samples)]
    file = write_lines(farm.folder, samples, images=sources, name=f"of-{samples}")
    configuration = farm.folder / "run.yaml"
    scorers = [{"name": "simulated", "label": label} for label in ("one", "other")]
    configuration.write_text(json.dumps({"editor": "simulated", "scorers": scorers}))
    run_id = farm.submit(file, "--config", str(configuration)).output
    finish(farm.engine, run_id, detail=_DETAIL)
    _store_edited(farm, run_id, photos)
    return run_id


def _store_edited(farm: Farm, run_id: str, photos: Sequence[bytes]) -> None:
    """Give each edit an image of its own, another one than its source."""
    images = open_store(settings().image_store)
    with reading(farm.engine) as connection:
        ids = connection.scalars(select(edits.c.id).where(edits.c.run_id == run_id).order_by(edits.c.id)).all()
    stored = [
        {"edit_id": edit_id, "digest": images.put(with_remark(photos[(number + 1) % DRAWN], f"edited {number}"))}
        for number, edit_id in enumerate(ids)
    ]
    with transaction(farm.engine) as connection:
        change = update(edits).where(edits.c.id == bindparam("edit_id")).values(image=bindparam("digest"))
        connection.execute(change, stored)


if __name__ == "__main__":
    main()
