"""One sample: what is said of it, links, keys, the slider, full size, repeats."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from db.images import FolderStore
from tests.browser.conftest import Look
from tests.browser.galleries import gallery_of, usual_gallery
from tests.browser.scene import Edit, Sample, Score, Scorer, picture
from tests.browser.steps import keys, open_sample, show_all


@pytest.fixture
def gallery(tmp_path: Path, engine: Engine, images: FolderStore) -> Path:
    """The usual gallery."""
    return usual_gallery(tmp_path / "gallery", engine, images)


def test_a_sample_shows_scores_dimensions_and_reasoning(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-07")

    strict, mild = page.locator("#sample .verdict").all()
    expect(strict.locator("tbody tr")).to_have_text(["Score8.25", "realism7.50"])
    expect(strict.locator(".reasoning")).to_have_text("Reason 7")
    expect(strict.locator(".retried")).to_have_text("retried")
    expect(mild.locator("tbody tr")).to_have_text(["Score5.00"])
    assert page.locator(".card .retried").count() == 1


def test_a_description_and_a_reference_are_shown(gallery: Path, look: Look) -> None:
    page = look(gallery)
    show_all(page)
    open_sample(page, "k-05")
    expect(page.locator("#sample .description")).to_have_text("a plain square")
    assert page.locator("#sample .strip img").count() == 2
    page.keyboard.press("ArrowLeft")

    expect(page.locator("#sample figcaption")).to_contain_text(["Source", "Reference", "Edited"])


def test_a_failed_score_shows_its_reason_and_the_reply(gallery: Path, look: Look) -> None:
    page = look(gallery)
    page.locator("[data-view=failures]").click()
    open_sample(page, "f-unparsed")
    page.locator("#sample details summary").click()

    expect(page.locator("#sample .failure .reason")).to_have_text("the reply names no score")
    expect(page.locator("#sample .failure pre")).to_have_text("Hm.")


def test_arrow_keys_go_through_what_is_listed_and_escape_goes_back(gallery: Path, look: Look) -> None:
    page = look(gallery)
    title = page.locator("#sample h2")
    open_sample(page, "k-25")
    page.keyboard.press("ArrowLeft")  # there is none before the first
    expect(title).to_have_text("k-25")
    page.keyboard.press("ArrowRight")
    expect(title).to_have_text("k-24")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text("k-24")
    expect(page.locator("#sample .place")).to_have_text("2 of 20")
    page.keyboard.press("Escape")

    expect(page.locator("#sample")).to_be_hidden()
    page.wait_for_function("() => !location.hash")
    expect(page.get_by_role("link", name="k-24", exact=True)).to_be_focused()


def test_a_link_opens_its_sample_also_after_the_page_is_loaded(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-20")
    fragment = page.evaluate("location.hash")

    again = look(gallery, fragment)
    expect(again.locator("#sample h2")).to_have_text("k-20")
    again.evaluate("location.hash = ''")
    expect(again.locator("#sample")).to_be_hidden()
    again.evaluate("fragment => location.hash = fragment", fragment)
    expect(again.locator("#sample h2")).to_have_text("k-20")


def test_a_link_to_no_sample_opens_none(gallery: Path, look: Look) -> None:
    page = look(gallery, "#sample-0000")

    expect(page.locator("#sample")).to_be_hidden()
    assert len(keys(page)) == 20


def shown_share(page: Page) -> float:
    """Return the share of the left picture, in percent, as it is on the screen."""
    left = page.locator("#sample .stage .over")
    inset = left.evaluate("layer => getComputedStyle(layer).clipPath.match(/calc\\(100% - ([\\d.]+)%\\)|([\\d.]+)%/)")
    return float(inset[1]) if inset[1] else 100 - float(inset[2])


def test_the_slider_follows_the_mouse(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-25")
    assert shown_share(page) == 50
    box = page.locator("#sample .stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 40, steps=4)
    page.mouse.up()

    assert shown_share(page) == pytest.approx(20, abs=1)


def test_the_slider_follows_the_arrow_keys_and_the_sample_stays(gallery: Path, look: Look) -> None:
    page = look(gallery)
    open_sample(page, "k-25")
    page.locator("#sample input[type=range]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")

    assert shown_share(page) == 53
    expect(page.locator("#sample h2")).to_have_text("k-25")


def test_full_size_is_the_image_of_the_store(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    source, edited = picture(images, "navy", 1200, 900), picture(images, "orange", 1200, 900)
    page = look(gallery_of([Sample("large", source, [Edit(edited)])], tmp_path / "gallery", engine, images))
    open_sample(page, "large")
    page.get_by_role("button", name="Full size").nth(1).click()
    image = page.locator("#fullsize img")

    expect(image).to_have_js_property("naturalWidth", 1200)
    page.get_by_role("button", name="Actual size").click()
    assert image.evaluate("image => image.clientWidth") == 1200
    page.keyboard.press("Escape")
    expect(page.locator("#fullsize")).to_be_hidden()
    expect(page.locator("#sample")).to_be_visible()


def test_where_the_full_image_is_gone_its_thumbnail_is_shown(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    source = picture(images, "navy", 1200, 900)
    page_file = gallery_of([Sample("large", source, [Edit(source)])], tmp_path / "gallery", engine, images)
    images.path(source).unlink()
    page = look(page_file)
    open_sample(page, "large")
    page.get_by_role("button", name="Full size").first.click()

    expect(page.locator("#fullsize")).to_contain_text("The full image is gone")
    expect(page.locator("#fullsize img")).to_have_js_property("naturalWidth", 384)


def test_images_that_cannot_be_read_are_named(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    no_image = images.put(b"no image at all")
    samples = [Sample("odd", "0" * 64, [Edit(no_image, scores={"strict": Score(1)})])]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images))

    expect(page.locator(".card-picture")).to_have_text(["Image missing", "Image unreadable"])
    open_sample(page, "odd")
    expect(page.locator("#sample .stage")).to_contain_text("Image missing")


def test_repeats_are_gone_through(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    source, one, two = (picture(images, colour) for colour in ("navy", "orange", "red"))
    edits = [Edit(one, scores={"strict": Score(2)}), Edit(two, scores={"strict": Score(6)})]
    page = look(gallery_of([Sample("twice", source, edits)], tmp_path / "gallery", engine, images))
    expect(page.locator(".card .chip").first).to_have_text("strict4.00")
    open_sample(page, "twice")
    verdict = page.locator("#sample .verdict").first
    expect(verdict).to_contain_text("2.00")
    page.get_by_role("group", name="Repeat").get_by_role("button", name="2").click()

    expect(verdict).to_contain_text("6.00")
    assert two in (page.locator("#sample .strip img").last.get_attribute("src") or "")


def test_a_judge_that_is_asked_several_times_shows_each_answer(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    source = picture(images, "navy")
    scores = {"strict": [Score(4, reasoning="once"), Score(7, reasoning="again", judge_repeat=1)]}
    samples = [Sample("judged", source, [Edit(source, scores=scores)])]
    page = look(gallery_of(samples, tmp_path / "gallery", engine, images, [Scorer("strict", repeats=2)]))
    open_sample(page, "judged")

    verdict = page.locator("#sample .verdict")
    expect(verdict.locator("tbody tr").first).to_have_text("Score5.50")
    expect(verdict.locator(".reasoning")).to_have_text(["once", "again"])
    expect(verdict.locator(".said b")).to_have_text(["4.00", "7.00"])
