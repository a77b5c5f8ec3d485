"""The table at the head of RESULTS.md is gathered from the tables below it, and no goal is left out."""

from __future__ import annotations

from benchmarks.every_goal import PAGE, TABLE, Reached, goals_on, goals_table
from benchmarks.figures.tables import with_tables

A_PAGE = """
    python -m benchmarks.scheduling --no-rivals

| case | system | makespan s | over the bound | each round | times ours | goal | holds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| six cards | ours | 29.50 | 1.023 | 1.02, 1.03 |  | over the bound <= 1.03 | holds |
| six cards | scripts | 39.66 | 1.376 |  | 1.34 | times ours >= 1.45 | falls short |
| six cards | ours |  |  |  |  | a worker's changes <= 2, has 2 | holds |
| six cards | pool | 29.49 | 1.023 |  | 1.00 |  |  |

`python -m benchmarks.reporting`: the whole command.

| case | figure | measured | each round | goal | holds | note |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| report | whole command | 3.09 s | 3.17, 2.99 | s <= 5 | holds |  |
| report | not asked | 3 MB |  |  |  |  |

    python -m benchmarks.gpu_models swap

| case | measured | goal | holds |
| --- | ---: | ---: | ---: |
| swap |  | s < 5 | not yet |
"""


def test_the_page_holds_the_goals_of_its_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    table = goals_table(goals_on(page))
    assert with_tables(page, {TABLE: table}) == page, "run `python -m benchmarks.every_goal --write`"
    assert table in page


def test_every_goal_is_gathered_with_its_figure_and_what_falls_short_comes_first() -> None:
    assert goals_on(A_PAGE) == [
        Reached("scheduling", "six cards: scripts", "1.34", "times ours >= 1.45", "falls short"),
        Reached("gpu_models", "swap", "", "s < 5", "not yet"),
        Reached("scheduling", "six cards: ours", "1.023", "over the bound <= 1.03", "holds"),
        Reached("scheduling", "six cards: ours", "2", "a worker's changes <= 2", "holds"),
        Reached("reporting", "report: whole command", "3.09 s", "s <= 5", "holds"),
    ]


def test_the_gathered_table_is_not_gathered_again() -> None:
    page = f"<!-- computed: {TABLE} -->\n{goals_table(goals_on(A_PAGE))}\n<!-- end -->\n{A_PAGE}"
    assert goals_on(page) == goals_on(A_PAGE)
