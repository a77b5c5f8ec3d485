"""Figures in words, and tables of them as markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with its first column to the left and the others, figures mostly, to the right."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """Return the page with what stands between the marks of each table replaced by it."""
    for name, table in tables.items():
        before, begin, rest = page.partition(f"<!-- computed: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        page = f"{before}{begin}{table}\n{end}{after}" if begin else page
    return page


def figure(value: float) -> str:
    """Return the value with three significant digits, and never an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    digits = max(0, 2 - int(f"{value:e}".partition("e")[2]))
    return f"{value:.{digits}f}"
