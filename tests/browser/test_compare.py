"""Runs side by side: scores beside each other, differences, and what only one of them has."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from db.images import FolderStore
from producer.gallery.page import ASSETS
from producer.report.grid import number, signed
from tests.browser.conftest import Look
from tests.browser.galleries import SCORED, compared_gallery
from tests.browser.steps import choose, keys, open_sample, show_all


@pytest.fixture
def gallery(tmp_path: Path, engine: Engine, images: FolderStore) -> Path:
    """The usual run beside one that is better by half a point below 9, worse on `k-03`, and has no `k-25`."""
    return compared_gallery(tmp_path / "gallery", engine, images)


def test_a_sample_has_the_scores_of_both_runs_and_their_difference(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-20")

    rows = page.locator("#sample .verdict").first.locator("tbody tr")
    expect(rows).to_have_text(["Score5.005.50+0.50", "realism7.507.50±0.00"])
    expect(page.locator("#sample .strip figcaption")).to_contain_text(["Source", "A Edited", "B Edited"])


def test_numbers_are_written_as_tables_write_them(gallery: Path, look: Look) -> None:
    page = look(gallery)
    script = (ASSETS / "elements.js").read_text(encoding="utf-8")
    values = [0, 0.004, -0.004, 0.005, -0.005, 1.5, -1.5]

    written = page.evaluate(
        f"values => {{ {script} return values.map((one) => [shortNumber(one), signed(one)]); }}", values
    )

    assert [[short, difference.replace("−", "-")] for short, difference in written] == [
        [number(value), signed(value)] for value in values
    ]


def test_cards_have_both_runs_pictures_and_scores(gallery: Path, look: Look) -> None:
    page = look(gallery)
    card = page.locator(".card", has_text="k-20")

    assert card.locator("img").count() == 3
    expect(card.locator(".chip").first).to_have_text("strictA5.00B5.50+0.50")


def test_samples_are_sorted_by_difference(gallery: Path, look: Look) -> None:
    page = look(gallery)
    for order, first in {"difference": "k-03", "loss": "k-03", "gain": "k-05"}.items():
        choose(page, "order", order)

        assert keys(page)[0] == first


def test_a_difference_is_filtered(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)
    choose(page, "difference", "1")
    assert keys(page) == ["k-03"]
    choose(page, "difference", "0.5")

    assert keys(page) == ["k-03", *(f"k-{number:02}" for number in range(5, SCORED - 1))]


def test_a_sample_of_one_run_only_is_there_without_a_difference(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-25")

    expect(page.locator("#sample .verdict").first.locator("tbody tr").first).to_have_text("Score3.75––")


def test_the_slider_takes_any_two_pictures(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-20")
    page.locator("#sample select.left").select_option(label="A Edited")
    page.locator("#sample select.right").select_option(label="B Edited")

    expect(page.locator("#sample .corner")).to_have_text(["A Edited", "B Edited"])


def test_the_summary_has_a_line_and_a_bar_for_each_run(gallery: Path, look: Look) -> None:
    page = look(gallery)
    scorer = page.locator(".scorer", has_text="scale 0 to 10")

    expect(scorer.locator("tbody").first.locator("tr")).to_have_count(2)
    expect(scorer.locator(".chart").first.locator(".bar")).to_have_count(2 * 3)  # two categories, and all
    expect(page.locator(".runs li")).to_have_count(2)


def test_the_differences_stand_on_top_with_their_intervals_and_wins(gallery: Path, look: Look) -> None:
    page = look(gallery)
    strict = page.locator(".differences").first

    expect(strict.locator("caption")).to_have_text("strict · B − A")
    expect(strict.locator("tbody")).to_have_count(3)  # two categories, and all
    total = strict.locator(".total tr").inner_text().split("\t")
    assert [cell.strip() for cell in total[:2]] == ["All", "25"]
    assert [cell.strip() for cell in total[4:7]] == ["20", "4", "1"]  # k-05 to k-24, k-00 to k-04 but for k-03, k-03
