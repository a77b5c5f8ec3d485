"""Whether a page can be used: on a phone, and by people who use it without eyes or without a mouse."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PHONE = {"viewport": {"width": 360, "height": 740}}


def is_scrolled_sideways(page: Page) -> bool:
    widths = page.evaluate("[...document.querySelectorAll('html, dialog[open]')].map(({scrollWidth}) => scrollWidth)")
    return bool(max(widths) > page.evaluate("innerWidth"))


def grave_issues(page: Page) -> list[tuple[str, str]]:
    """Return what axe-core finds serious or critical, with the element it is found in."""
    page.wait_for_timeout(200)  # colours have come to rest
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    grave = [issue for issue in found if issue["impact"] in ("serious", "critical")]
    return [(issue["id"], node["html"]) for issue in grave for node in issue["nodes"]]
