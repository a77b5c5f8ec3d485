"""The page in both languages and themes, on a phone, and for people who use it without eyes or without a mouse."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db.images import FolderStore
from tests.browser.conftest import Look
from tests.browser.galleries import SCORERS, compared_gallery, gallery_of, usual_gallery, usual_samples
from tests.browser.scene import Edit, Sample, picture
from tests.browser.steps import open_sample
from tests.browser.usable import PHONE, grave_issues, is_scrolled_sideways


@pytest.fixture
def gallery(tmp_path: Path, engine: Engine, images: FolderStore) -> Path:
    """The usual gallery."""
    return usual_gallery(tmp_path / "gallery", engine, images)


# -- language and theme ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("locale", "heading", "lang"), [("en-GB", "Summary", "en"), ("zh-CN", "汇总", "zh-Hans")])
def test_the_language_is_the_browsers(gallery: Path, look: Look, locale: str, heading: str, lang: str) -> None:
    page = look(gallery, locale=locale)

    expect(page.locator("#summary")).to_have_text(heading)
    expect(page.locator("html")).to_have_attribute("lang", lang)


def reload_until(page: Page, holds: str) -> None:
    """Load the page again until the expression holds: Chromium keeps what it is told a moment later."""
    deadline = time.monotonic() + 60
    page.reload()
    while not page.evaluate(holds):
        assert time.monotonic() < deadline, holds
        page.wait_for_timeout(100)
        page.reload()


def test_the_language_is_switched_everywhere_and_remembered(gallery: Path, look: Look) -> None:
    page = look(gallery)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("#count")).to_have_text("共 29 个样本，当前 20 个")
    reload_until(page, "document.documentElement.lang === 'zh-Hans'")
    open_sample(page, "k-07")

    expect(page.locator("#count")).to_have_text("共 29 个样本，当前 20 个")
    expect(page.locator("#sample .verdict tbody th").first).to_have_text("得分")
    expect(page.locator("#sample .stage img").first).to_have_attribute("alt", "编辑后")
    expect(page.locator(".chart").first).to_have_attribute("aria-label", "各类别均值及 95% 区间")
    expect(page.locator("[data-field=search]")).to_have_attribute("placeholder", "搜索指令和键名")


def test_chinese_leaves_out_what_only_english_needs(gallery: Path, look: Look) -> None:
    page = look(gallery)
    expect(page.locator(".scorer tbody th").first).to_have_text("物理 physical", use_inner_text=True)
    page.get_by_role("button", name="中文").click()

    expect(page.locator(".scorer tbody th").first).to_have_text("物理", use_inner_text=True)


def lightness(page: Page) -> float:
    """Return how light the page's ground is, 0 to 255."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)")
    return sum(colour) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_browsers_until_it_is_switched(gallery: Path, look: Look, scheme: str) -> None:
    page = look(gallery, color_scheme=scheme)
    assert (lightness(page) > 128) == (scheme == "light")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert (lightness(page) > 128) == (scheme == "dark")
    other = "dark" if scheme == "light" else "light"
    reload_until(page, f"document.documentElement.dataset.theme === '{other}'")

    assert (lightness(page) > 128) == (scheme == "dark")


# -- a phone -----------------------------------------------------------------------------------------------------------


def test_nothing_is_wider_than_a_phone(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    endless = "x" * 300
    samples = [*usual_samples(images), Sample(endless, picture(images, "navy"), [Edit()], instruction=endless)]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images, SCORERS), **PHONE)
    assert not is_scrolled_sideways(page)
    page.get_by_role("button", name="All").click()
    assert not is_scrolled_sideways(page)
    open_sample(page, endless)

    assert not is_scrolled_sideways(page)


def test_runs_side_by_side_fit_a_phone(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    page = look(compared_gallery(tmp_path / "gallery", engine, images), **PHONE)
    assert not is_scrolled_sideways(page)
    open_sample(page, "k-20")

    assert not is_scrolled_sideways(page)


# -- accessibility -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave(tmp_path: Path, engine: Engine, images: FolderStore, look: Look, scheme: str) -> None:
    gallery = compared_gallery(tmp_path / "gallery", engine, images)
    page = look(gallery, color_scheme=scheme, bypass_csp=True)  # axe is a script of its own
    for details in page.locator("main details").all():
        details.evaluate("details => details.open = true")
    assert grave_issues(page) == []
    page.locator("[data-view=failures]").click()
    assert grave_issues(page) == []
    open_sample(page, "f-unparsed")
    assert grave_issues(page) == []
    page.get_by_role("button", name="Full size").first.click()

    assert grave_issues(page) == []


def test_axe_finds_nothing_grave_on_a_phone_in_chinese_in_an_unfinished_run(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    samples = [*usual_samples(images), Sample("open", picture(images, "navy"), [Edit()])]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images), locale="zh-CN", bypass_csp=True, **PHONE)
    assert grave_issues(page) == []
    open_sample(page, "k-25")

    assert grave_issues(page) == []


def test_a_sample_is_reached_by_keyboard_alone(gallery: Path, look: Look) -> None:
    page = look(gallery)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the samples")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.card a')"):
            break
    page.keyboard.press("Enter")

    expect(page.locator("#sample h2")).to_have_text("k-25")
    expect(page.locator("#sample h2")).to_be_focused()


def test_without_javascript_the_summary_is_there(gallery: Path, look: Look) -> None:
    page = look(gallery, java_script_enabled=False)

    expect(page.locator(".scorer table").first).to_contain_text("物理")


# -- on paper ----------------------------------------------------------------------------------------------------------


def test_on_paper_the_page_is_light_has_every_card_and_no_controls(gallery: Path, look: Look) -> None:
    page = look(gallery, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")

    expect(page.locator("body")).to_have_css("background-color", "rgb(247, 247, 244)")
    expect(page.locator("#toolbar")).to_be_hidden()
    expect(page.locator(".card").last).to_have_css("content-visibility", "visible")
