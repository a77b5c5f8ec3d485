"""The tables of a recipe on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from db.images import FolderStore
from db.ledger import Ledger
from producer.gallery.write import write_gallery
from producer.report.gather import gather_report
from producer.report.official_grids import official_grids
from tests.producer.recipes.official_runs import run_of

TABLES = ({"totals": ["micro", "macro"], "digits": 3}, {"rows": "language", "totals": ["macro"], "digits": 1})


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a page holds does not depend on the database."""
    return sqlite_url


def test_the_page_has_every_mean_of_a_recipes_tables_and_what_failures_would_make_of_them(
    tmp_path: Path, ledger: Ledger, images: FolderStore
) -> None:
    fields = [{"language": "en"}, {"language": "cn"}, {"language": "en"}]
    run = run_of(ledger, [("<b>x</b>", fields[0]), ("<b>x</b>", fields[1]), ("y", fields[2])], *TABLES)
    run.edit("k-0", "k-1")
    run.score("k-0", "judge", 2, a=2)
    run.score("k-1", "judge", 5, a=5)
    run.fail_edit("k-2")
    report = gather_report(ledger.engine, run.id)

    page = write_gallery([report], ledger.engine, images, tmp_path / "gallery").read_text(encoding="utf-8")

    *tables, _notes = official_grids(report, wide=False)
    shown = re.findall(r"<table>(.*?)</table>", page.partition('<div class="official">')[2], flags=re.DOTALL)
    for grid, table in zip(tables, shown, strict=True):
        rows = [re.findall(r'<td><span class="strong">([^<]*)', row) for row in table.split("<tr>")[2:]]
        assert sorted(rows) == sorted(list(row[3:]) for row in [*grid.rows, *grid.footers])
    assert ["3.500", "–", "3.500"] in [list(row[3:]) for row in tables[0].footers]
    assert "<b>x" not in page
