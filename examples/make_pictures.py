"""Takes the pictures of the README: the sample benchmark's gallery, and `watch` while a run is under way.

Run as `python examples/make_pictures.py` in the environment of `make test`; it writes docs/pictures. The gallery is
looked at by a real Chromium. What `watch` shows is caught from a terminal: the frame that shows most.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "examples" / "benchmark.json"
PICTURES = ROOT / "docs" / "pictures"
COLUMNS, LINES = 100, 30
NEW_FRAME = re.compile(r"(?:\r?\x1b\[2K|\x1b\[1A)+")
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # which rich would have fetched from elsewhere
SIMULATED = (
    *("--editor", "simulated", "--set", "editor.seconds=2", "--set", "editor.spread=0.6"),
    *("--scorer", "simulated", "--set", "scorer.seconds=0.5", "--set", "scorer.batch_size=2", "--workers", "4"),
)


def run(home: Path, *flags: str, terminal: int | None = None) -> int:
    """Run the sample benchmark in this FARM_HOME; its progress goes to that terminal."""
    command = [sys.executable, "-m", "producer", "run", str(SAMPLE), *flags]
    environment = {**os.environ, "FARM_HOME": str(home), "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=quiet, stderr=terminal or quiet).wait()


def gallery_pictures(page: Path) -> dict[str, Image.Image]:
    """Return a gallery's first screen and its samples, by the names of their files."""
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1280, "height": 850}, locale="en-US")
        view.goto(page.as_uri())
        summary = view.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": 745})
        view.evaluate("document.querySelector('#gallery').scrollIntoView()")
        view.wait_for_function("[...document.querySelectorAll('.card img')].slice(0, 12).every((one) => one.complete)")
        samples = view.screenshot()
        browser.close()
    shots = {"summary.webp": summary, "samples.webp": samples}
    return {name: Image.open(io.BytesIO(shot)).convert("RGB") for name, shot in shots.items()}


def watch_picture(home: Path) -> str:
    """Return, as SVG, what a terminal showed in the middle of a run."""
    master, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    if os.fork() == 0:
        os._exit(run(home, *SIMULATED, terminal=terminal))
    os.close(terminal)
    frames = NEW_FRAME.split(_all_of(master))
    middle = max(frames, key=_tells)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(
        Text.from_ansi(middle.replace("\r", "").strip("\n")), end="\n\n"
    )  # the last line would be cut off below
    return FONTS.sub("", console.export_svg(title="python -m producer watch latest"))


def _all_of(master: int) -> str:
    pieces = []
    try:
        while piece := os.read(master, 65536):
            pieces.append(piece)
    except OSError:  # the terminal's last user is gone
        pass
    return b"".join(pieces).decode(errors="replace")


def _tells(frame: str) -> int:
    """Return how much a frame shows: both stages at work, and of how many workers what they are at."""
    at_work = re.findall(r"step \d+/\d+|scoring|loading", frame)
    return len(at_work) + 10 * ("scoring" in at_work) + 10 * frame.count(" left")


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "sample")
        page = next((Path(folder) / "sample" / "reports").glob("*/index.html"))
        for name, picture in gallery_pictures(page).items():
            picture.save(PICTURES / name, quality=90)
        (PICTURES / "watch.svg").write_text(watch_picture(Path(folder) / "watched"), encoding="utf-8")
