"""The reference pages are what the code says now."""

from __future__ import annotations

import runpy

import pytest

from tests.docs.pages import ROOT

FOLDER = ROOT / "docs" / "reference"
MADE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


@pytest.mark.parametrize("name", sorted(MADE["PAGES"]))
def test_a_page_of_the_reference_is_as_the_code_has_it(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == MADE["PAGES"][name](), "make docs writes it anew"


def test_no_page_is_left_that_nothing_makes() -> None:
    marked = {page.name for page in FOLDER.glob("*.md") if MADE["MADE"] in page.read_text(encoding="utf-8")}

    assert marked == set(MADE["PAGES"])
