"""How a person finds samples: views, filters, order, search; and whether there are all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from db.images import FolderStore
from tests.browser.conftest import Look
from tests.browser.galleries import SCORED, gallery_of, usual_gallery
from tests.browser.scene import Edit, Sample, picture
from tests.browser.steps import choose, keys, open_sample, show_all


@pytest.fixture
def gallery(tmp_path: Path, engine: Engine, images: FolderStore) -> Path:
    """The usual gallery."""
    return usual_gallery(tmp_path / "gallery", engine, images)


# -- views -------------------------------------------------------------------------------------------------------------


def test_the_first_page_shows_the_worst_20_by_the_first_scorer(gallery: Path, look: Look) -> None:
    page = look(gallery)

    assert keys(page) == [f"k-{number:02}" for number in range(SCORED - 1, SCORED - 21, -1)]
    expect(page.locator("#count")).to_have_text(f"20 of {SCORED + 3} samples")
    expect(page.locator("[data-view=worst]")).to_have_attribute("aria-pressed", "true")


def test_all_samples_stand_in_the_benchmarks_order(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)

    assert keys(page) == [*(f"k-{number:02}" for number in range(SCORED)), "f-edit", "f-unparsed", "f-refused"]


def test_failures_stand_apart_with_kind_and_reason(gallery: Path, look: Look) -> None:
    page = look(gallery)
    assert page.locator(".card.failed").count() == 0
    page.get_by_role("button", name="Failures 3").click()

    assert keys(page) == ["f-edit", "f-unparsed", "f-refused"]
    assert page.locator(".card.failed").count() == 3
    expect(page.locator(".card .failure").first).to_contain_text("Edit failedinputthe instruction is empty")
    expect(page.locator(".card .failure").nth(1)).to_contain_text("Score failedstrictunparsed reply")


# -- filters and order -------------------------------------------------------------------------------------------------


def test_a_category_is_filtered(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)
    choose(page, "category", "社会")

    assert keys(page) == [*(f"k-{number:02}" for number in range(1, SCORED, 2)), "f-refused"]


def test_a_range_of_scores_is_filtered(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)
    expected = {
        ("9.5", ""): ["k-00", "k-01", "k-02"],
        ("", "4"): ["k-24", "k-25"],
        ("5", "5.2"): ["k-20"],
        ("0", "1"): [],
    }
    for (least, best), found in expected.items():
        choose(page, "least", least)
        choose(page, "best", best)

        assert keys(page) == found


def test_the_range_is_of_the_chosen_scorer(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)
    choose(page, "scorer", "1")
    choose(page, "least", "5")

    assert keys(page) == ["k-00", "k-07"]


def test_a_kind_of_failure_is_filtered(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)
    scored = [f"k-{number:02}" for number in range(SCORED)]
    for outcome, found in {"input": ["f-edit"], "unparsed": ["f-unparsed"], "none": scored}.items():
        choose(page, "outcome", outcome)

        assert keys(page) == found


def test_samples_are_sorted(gallery: Path, look: Look) -> None:
    page = look(gallery)
    scored, failed = [f"k-{number:02}" for number in range(SCORED)], ["f-edit", "f-unparsed", "f-refused"]
    for order, found in {"best": scored, "worst": scored[::-1], "benchmark": scored}.items():
        choose(page, "order", order)

        assert keys(page) == [*found, *failed]


def test_scorers_that_disagree_most_on_their_own_scales_come_first(gallery: Path, look: Look) -> None:
    page = look(gallery)
    choose(page, "order", "disagreement")

    assert keys(page)[0] == "k-07"
    assert set(keys(page)[-3:]) == {"f-edit", "f-unparsed", "f-refused"}


def test_instructions_and_keys_are_searched_as_they_are_written(gallery: Path, look: Look) -> None:
    page = look(gallery)
    for words, found in {"number 1 red": ["k-01"], "f-un": ["f-unparsed"], "[": []}.items():
        choose(page, "search", words)

        assert keys(page) == found
    expect(page.get_by_text("No sample matches.")).to_be_visible()


def test_a_run_that_is_not_complete_says_partial_on_top(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    samples = [Sample("open", picture(images, "navy"), [Edit()])]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images))

    notice = page.locator(".partial").first
    expect(notice).to_contain_text("PARTIAL")
    expect(notice).to_contain_text("still to come")
    expect(notice).to_be_in_viewport()
    open_sample(page, "open")
    expect(page.locator("#sample")).to_contain_text("Not there yet")


def test_a_complete_run_does_not_say_partial(gallery: Path, look: Look) -> None:
    assert "PARTIAL" not in look(gallery).locator("body").inner_text()
