"""The documentation as a site: it opens from the disk, is searched there, and reaches for nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import expect

from tests.browser.conftest import Look
from tests.docs.pages import ROOT

LOADED = re.compile(r'<(?:script|img|iframe|source)[^>]+src="([^"]+)"|<link(?![^>]+rel="canonical")[^>]+href="([^"]+)"')
LOADED_BY_STYLES = re.compile(r"url\(\s*['\"]?([^)'\"]+)|@import\s+['\"]([^'\"]+)")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """What `make docs` builds, which must do so without a warning."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "site"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            flags = ("--quiet", "--fail-on-warning", "--keep-going", "-c", "docs")
            command = [sys.executable, "-m", "sphinx", *flags, "-d", f"{folder}.doctrees", ".", str(folder)]
            built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    by_pages = [
        (page.name, one)
        for page in site.rglob("*.html")
        for found in LOADED.findall(page.read_text(encoding="utf-8"))
        for one in found
        if one
    ]
    by_styles = [
        (sheet.name, one)
        for sheet in site.rglob("*.css")
        for found in LOADED_BY_STYLES.findall(sheet.read_text(encoding="utf-8"))
        for one in found
        if one
    ]

    assert len(by_pages) > 100
    assert [one for one in by_pages + by_styles if re.match(r"(https?:)?//", one[1])] == []


def test_the_site_opens_from_the_disk_and_is_searched_there(site: Path, look: Look) -> None:
    page = look(site / "index.html")
    expect(page.get_by_role("heading", name="editfarm", level=1)).to_be_visible()

    page.get_by_placeholder("Search").first.fill("lease")
    page.keyboard.press("Enter")

    expect(page.locator("#search-results li a").first).to_be_visible()
    page.get_by_role("link", name="Settings").last.click()
    expect(page.get_by_text("FARM_LEASE_SECONDS").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits_a_telephone(site: Path, look: Look, scheme: str) -> None:
    page = look(
        site / "docs" / "reference" / "commands.html", viewport={"width": 400, "height": 800}, color_scheme=scheme
    )

    assert page.evaluate("document.documentElement.scrollWidth") <= 400
