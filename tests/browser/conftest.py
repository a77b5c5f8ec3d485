"""A real Chromium that looks at galleries from the disk, and may reach nothing else.

As root on Debian it is installed by the first test that wants it; where it cannot be had the tests are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser.chromium import FLAGS, NoBrowser, find_or_install

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))  # the first may have to install the browser


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a page looks like does not depend on the database."""
    return sqlite_url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Chromium's program."""
    try:
        return find_or_install()
    except NoBrowser as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")  # not longer: while Playwright runs, no other test could start an event loop
def browser(chromium: Path) -> Iterator[Browser]:
    """A running Chromium with a fresh profile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


class Visit:
    """A page that is looked at, with everything it did that it should not."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.reached_out: list[str] = []
        self.faults: list[str] = []
        page.context.route("**/*", self._only_the_disk)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda message: self._heard(message.text))

    def _only_the_disk(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.reached_out.append(route.request.url)
            route.abort()

    def _heard(self, text: str) -> None:
        if "Content Security Policy" in text or "Content-Security-Policy" in text:
            self.faults.append(text)


Look = Callable[..., Page]


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Open a file, with a context's options; in the end it has reached for nothing and done nothing it may not."""
    visits: list[Visit] = []

    def look(file: Path, fragment: str = "", **options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page())
        visits.append(visit)
        visit.page.goto(file.as_uri() + fragment)
        return visit.page

    yield look
    for visit in visits:
        visit.page.context.close()
    assert [visit.reached_out for visit in visits] == [[] for _ in visits]
    assert [visit.faults for visit in visits] == [[] for _ in visits]
