"""Samples of several source images: all of them in the sample's view, how many more there are on its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db.images import FolderStore
from producer.gallery.write import write_gallery
from tests.browser.conftest import Look
from tests.browser.galleries import SCORERS, gallery_of
from tests.browser.scene import Edit, Sample, Score, enter, picture
from tests.browser.steps import open_sample
from tests.browser.usable import PHONE, grave_issues, is_scrolled_sideways

WIDTHS = (1200, 1000, 800)
"""By its width a picture is told from the others."""


def pictures(images: FolderStore) -> list[str]:
    """Put three sources into the store; return their digests."""
    return [
        picture(images, colour, width, 600) for colour, width in zip(("navy", "teal", "purple"), WIDTHS, strict=True)
    ]


def samples_of(sources: Sequence[str], images: FolderStore) -> list[Sample]:
    """Return a sample of all these sources, and one of the first of them."""
    edits = [Edit(picture(images, "orange", 640, 600), scores={"strict": Score(5)})]
    return [Sample("several", sources[0], edits, more_sources=sources[1:]), Sample("single", sources[0], edits)]


@pytest.fixture
def gallery(tmp_path: Path, engine: Engine, images: FolderStore) -> Path:
    """A sample of three sources and one of one."""
    return gallery_of(samples_of(pictures(images), images), tmp_path / "gallery", engine, images)


def seen_widths(page: Page, pictures_of: str) -> list[int]:
    """Return how wide each picture is, once all are loaded."""
    page.wait_for_function(
        "chosen => [...document.querySelectorAll(chosen)].every(image => image.complete && image.naturalWidth)",
        arg=pictures_of,
    )
    widths: list[int] = page.locator(pictures_of).evaluate_all("all => all.map(({naturalWidth}) => naturalWidth)")
    return widths


def test_every_source_is_shown_numbered_and_in_its_order(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "several")

    expect(page.locator("#sample .strip figcaption > span")).to_have_text(
        ["Source 1", "Source 2", "Source 3", "Edited"], use_inner_text=True
    )
    alts = page.locator("#sample .strip img").evaluate_all("all => all.map(({alt}) => alt)")
    assert alts == ["Source 1", "Source 2", "Source 3", "Edited"]
    assert seen_widths(page, "#sample .strip img") == [384, 384, 384, 384]
    heights = page.locator("#sample .strip img").evaluate_all("all => all.map(({naturalHeight}) => naturalHeight)")
    assert heights == [round(384 * 600 / width) for width in (*WIDTHS, 640)]


def test_a_single_source_has_no_number_and_no_mark(gallery: Path, look: Look) -> None:
    page = look(gallery)
    assert page.locator(".card", has_text="single").locator(".more-sources").count() == 0
    open_sample(page, "single")

    expect(page.locator("#sample .strip figcaption > span")).to_have_text(["Source", "Edited"], use_inner_text=True)


def test_a_card_shows_the_first_source_and_how_many_more_there_are(gallery: Path, look: Look) -> None:
    page = look(gallery)
    card = page.locator(".card", has_text="several")
    mark = card.locator(".more-sources")

    assert card.locator("img").evaluate_all("all => all.map(({alt}) => alt)") == ["Source 1", "Edited"]
    expect(mark).to_have_text("+2")
    expect(mark).to_be_visible()
    expect(mark).to_have_attribute("aria-label", "Further source images: 2")
    page.get_by_role("button", name="中文").click()
    expect(mark).to_have_attribute("aria-label", "另有 2 张原图")
    assert card.locator("img").evaluate_all("all => all.map(({alt}) => alt)") == ["原图 1", "编辑后"]


def test_the_sources_have_their_names_in_chinese_too(gallery: Path, look: Look) -> None:
    page = look(gallery, locale="zh-CN")
    open_sample(page, "several")

    assert page.locator("#sample .strip img").nth(2).get_attribute("alt") == "原图 3"
    assert page.locator("#sample select.left option").all_text_contents() == ["原图 1", "原图 2", "原图 3", "编辑后"]


def test_the_slider_takes_any_source_by_keyboard(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "several")
    expect(page.locator("#sample .corner")).to_have_text(["Source 1", "Edited"])
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('select.left')"):
            break
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")

    expect(page.locator("#sample .corner")).to_have_text(["Source 3", "Edited"])
    expect(page.locator("#sample .stage .over img")).to_have_js_property("naturalWidth", WIDTHS[2])
    expect(page.locator("#sample h2")).to_have_text("several")


def test_each_source_opens_at_full_size_by_keyboard_and_arrows_go_on_to_the_others(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "several")
    page.get_by_role("button", name="Full size").nth(1).focus()
    page.keyboard.press("Enter")
    for number in (2, 3):
        expect(page.locator("#fullsize h2")).to_have_text(f"Source {number}")
        expect(page.locator("#fullsize img")).to_have_js_property("naturalWidth", WIDTHS[number - 1])
        assert page.locator("#fullsize img").get_attribute("alt") == f"Source {number}"
        page.keyboard.press("ArrowRight")
    expect(page.locator("#fullsize h2")).to_have_text("Edited")


def test_a_further_source_that_is_gone_is_named_and_the_others_are_shown(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    first, second, third = pictures(images)
    images.path(second).unlink()
    page = look(gallery_of(samples_of([first, second, third], images), tmp_path / "gallery", engine, images))
    open_sample(page, "several")

    expect(page.locator("#sample .strip figure").nth(1)).to_contain_text("Image missing")
    assert page.locator("#sample .strip img").count() == 3
    page.locator("#sample select.left").select_option(label="Source 2")
    expect(page.locator("#sample .stage .over")).to_contain_text("Image missing")


def test_a_single_file_holds_the_further_sources(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    report = enter(engine, "a" * 12, samples_of(pictures(images), images), SCORERS)
    page = look(write_gallery([report], engine, images, tmp_path / "one.html", single_file=True))
    open_sample(page, "several")

    assert seen_widths(page, "#sample .strip img") == [768, 768, 768, 640]


def test_many_sources_fit_a_phone(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    sources = [picture(images, "navy", 40 + number, 30) for number in range(10)]
    page = look(gallery_of(samples_of(sources, images), tmp_path / "gallery", engine, images), **PHONE)
    assert not is_scrolled_sideways(page)
    open_sample(page, "several")

    assert not is_scrolled_sideways(page)
    assert page.locator("#sample .strip img").count() == 11


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_about_several_sources(gallery: Path, look: Look, scheme: str) -> None:
    page = look(gallery, color_scheme=scheme, bypass_csp=True)
    assert grave_issues(page) == []
    open_sample(page, "several")

    assert grave_issues(page) == []
