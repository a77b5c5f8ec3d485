"""Text from strangers is shown and does nothing, wherever it stands: benchmark, labels, judges' replies, reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine

from db.images import FolderStore
from producer.gallery.write import write_gallery
from tests.browser.conftest import Look
from tests.browser.scene import Edit, Sample, Score, Scorer, enter, picture

MARKUP = (
    "</script><script>window.acted = 1; alert(1)</script>",
    "<!--<script>window.acted = 1",
    "]]><![CDATA[ <?php",
    "</style><img src=x onerror='window.acted = 1; alert(1)'>",
    "</title></textarea></noscript><svg onload='window.acted = 1; alert(1)'>",
    "\" autofocus onfocus='window.acted = 1; alert(1)' x=\"' onmouseover=window.acted=1 ",
    "<iframe srcdoc='<script>parent.acted = 1</script>'></iframe><base href='http://example.org/'>",
    "&lt;b&gt; &amp;amp; &#0; &notanentity",
)

HOSTILE = {
    "script": "<script>window.acted = 1; alert(1)</script>",
    "markup": " ".join(MARKUP),
    "link": "javascript:window.acted=1;alert(1)",
    "templates": "{{7*7}} {% for x in range(9) %}z{% endfor %} {# gone #} ${window.acted = 1} {name} {0} $& $1",
    "json": '"}]}\\", \\u0022 \\',
    "prototype": "__proto__",
    "constructor": "constructor",
}

ACTING = {
    "gpj\u202egnp.exe\u202c": "gpj\\u202egnp.exe\\u202c",
    "a\u2069\u2066b": "a\\u2069\\u2066b",
    "a\x00b": "a\\x00b",
    "\x1b[31mred\x1b]8;;http://example.org\x07": "\\x1b[31mred\\x1b]8;;http://example.org\\x07",
    "a\u2028b\u2029c": "a\\u2028b\\u2029c",
}
"""Characters that would do something to the text around them, and how they are written."""


def hostile_gallery(text: str, folder: Path, engine: Engine, images: FolderStore, *, single_file: bool = False) -> Path:
    """Write the gallery of two runs in which every text from outside is this one."""
    source = picture(images, "navy")
    given = Score(3, reasoning=text, criteria={text: 4})
    refused = Score(failure=("unparsed", text), reply=text)
    samples = [
        Sample(text, source, [Edit(source, scores={text: given})], text, text, description=text),
        Sample(text + "2", source, [Edit(source, scores={text: refused})], text, text),
        Sample(text + "3", source, [Edit(failure=("input", text))], text, text),
    ]
    reports = [enter(engine, run * 12, samples, [Scorer(text)], name=text) for run in "ab"]
    changed = {"editor": text, "missing": text, "partial": True}
    provenance = reports[0].provenance.model_copy(
        update={"configuration": {text: text}, "environments": [{"facts": {text: [text]}}], "editfarm": text}
    )
    reports = [report.model_copy(update={**changed, "provenance": provenance}) for report in reports]
    return write_gallery(reports, engine, images, folder, single_file=single_file)


def go_through(page: Page) -> None:
    """Open all there is to open."""
    for details in page.locator("main details").all():
        details.evaluate("details => details.open = true")
    page.get_by_role("button", name="中文").click()
    page.locator("[data-field=category]").select_option(index=1)
    page.locator("[data-view=all]").click()
    for link in page.locator(".card h3 a").all():
        link.click()
        for details in page.locator("#sample details").all():
            details.evaluate("details => details.open = true")
        page.locator("#sample button.picture").first.click()
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        expect(page.locator("#sample")).to_be_hidden()


def assert_nothing_acted(page: Page) -> None:
    assert page.evaluate("window.acted") is None
    assert page.locator("script").count() == 4  # two of ours, two blocks of data
    assert page.locator("iframe, base, object, embed, form, svg[onload], [onerror], [onfocus], [onload]").count() == 0
    assert page.evaluate("[...document.links].every(({protocol}) => protocol === 'file:')")
    assert page.evaluate("({}).acted === undefined && Object.prototype.toString.call({}) === '[object Object]'")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_is_shown_as_it_is_and_does_nothing(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look, text: str
) -> None:
    page = look(hostile_gallery(text, tmp_path / "gallery", engine, images))
    go_through(page)
    assert_nothing_acted(page)
    assert_shown_everywhere(page, text)


def test_characters_that_act_are_written_out(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    page = look(hostile_gallery(" ".join(ACTING), tmp_path / "gallery", engine, images))
    go_through(page)
    assert_nothing_acted(page)
    assert_shown_everywhere(page, " ".join(ACTING.values()))
    assert not set("\x00\x1b\u202e\u2028\u2069") & set(page.content())


def test_half_a_character_in_a_reply_is_written_out(
    tmp_path: Path, engine: Engine, images: FolderStore, look: Look
) -> None:
    source = picture(images, "navy")
    samples = [Sample("k", source, [Edit(source, scores={"s": Score(3, reasoning="a\ud800b")})])]
    page = look(write_gallery([enter(engine, "a" * 12, samples, [Scorer("s")])], engine, images, tmp_path / "gallery"))
    page.get_by_role("link", name="k", exact=True).click()

    expect(page.locator("#sample .reasoning")).to_have_text("a\\ud800b")


def assert_shown_everywhere(page: Page, text: str) -> None:
    """Read the text in the head, the summary, a card, and a sample's view."""
    page.locator("[data-view=all]").click()
    page.locator(".card h3 a").first.click()
    for place in ("h1", ".runs li b", ".partial bdi", ".scorer h3 bdi", ".scorer tbody th bdi", ".provenance dd bdi"):
        assert page.locator(place).first.text_content() == text, place
    for place in ("h3 a", ".instruction", ".eyebrow bdi", ".chip bdi"):
        assert page.locator(f".card {place}").first.text_content() == text, place
    for place in ("h2", ".instruction", ".description", ".verdict h3 bdi", ".scores tr:nth-child(2) th", ".reasoning"):
        assert page.locator(f"#sample {place}").first.text_content() == text, place
    assert page.locator(".card .failure .reason").first.text_content() == text


def test_a_single_file_is_as_deaf(tmp_path: Path, engine: Engine, images: FolderStore, look: Look) -> None:
    text = "</script><script>window.acted = 1; alert(1)</script><img src=x onerror=alert(1)>"
    page = look(hostile_gallery(text, tmp_path / "one.html", engine, images, single_file=True))
    go_through(page)

    assert page.evaluate("window.acted") is None
    assert page.locator("h1").text_content() == text


# -- the second line of defence: what would come into the page all the same --------------------------------------------

BLOCKED = """(act) => new Promise((resolve) => {
    document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.acted = 1";
    const actions = {
        script: () => document.body.append(script),
        handler: () => document.body.setAttribute("onclick", "window.acted = 1"),
        picture: () => (new Image().src = "http://example.org/x.png"),
        style: () => document.body.setAttribute("style", "background: url(http://example.org/)"),
        request: () => fetch("http://example.org/").catch(() => {}),
    };
    actions[act]();
    setTimeout(() => resolve("allowed"), 5000);
})"""


@pytest.mark.parametrize(
    ("act", "directive"),
    [
        ("script", "script-src-elem"),
        ("handler", "script-src-attr"),
        ("picture", "img-src"),
        ("style", "style-src-attr"),
        ("request", "connect-src"),
    ],
)
def test_the_policy_forbids_what_the_page_never_does(
    tmp_path: Path, engine: Engine, images: FolderStore, browser: Browser, act: str, directive: str
) -> None:
    file = hostile_gallery("harmless", tmp_path / "gallery", engine, images)
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(file.as_uri())

        assert page.evaluate(BLOCKED, act) == directive
        assert page.evaluate("window.acted") is None
