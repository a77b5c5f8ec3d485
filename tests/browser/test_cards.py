"""Cards whose text is long: numbers stay whole, an instruction is cut at a line's end."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from db.images import FolderStore
from tests.browser.conftest import Look
from tests.browser.galleries import gallery_of
from tests.browser.scene import Edit, Sample, Score, Scorer, picture
from tests.browser.usable import PHONE

LABEL = "a-scorer-" + "x" * 60
LINES = "one => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight)"


def test_a_long_scorers_name_breaks_no_number(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    source = picture(images, "navy")
    samples = [Sample("scored", source, [Edit(source, scores={LABEL: Score(9.25)})])]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images, [Scorer(LABEL)]), **PHONE)

    assert round(page.locator(".chip b").evaluate(LINES), 1) == 1


def test_an_instruction_has_two_lines_also_on_a_card_beside_a_taller_one(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    source = picture(images, "navy")
    failed = {label: Score(failure=("model", "a reason " * 40)) for label in ("strict", "mild")}
    samples = [
        Sample("short", source, [Edit(source)], instruction="把猫移到窗台上" * 30),
        Sample("tall", source, [Edit(source, scores=failed)]),
    ]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images))

    assert round(page.locator(".card", has_text="short").locator(".instruction").evaluate(LINES), 1) == 2
