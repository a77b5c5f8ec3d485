"""A report as tables for a terminal."""

from __future__ import annotations

from collections import Counter

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from db.categories import with_alias
from db.queries import Progress
from producer.report.gather import Report, ScorerReport
from producer.statistics import Summary

FAILURES_SHOWN = 20


def print_report(report: Report, console: Console) -> None:
    """Write the report to the console."""
    console.print(_heading(report))
    for scorer in report.scorers:
        console.print(_scorer_table(scorer))
    if report.failures:
        console.print(_failures(report))


def _heading(report: Report) -> RenderableType:
    run, progress = report.run, report.progress
    lines = [
        Text.assemble(
            ("run ", "dim"), (run.id, "bold"), ("  benchmark ", "dim"), run.benchmark_name,
            ("  editor ", "dim"), run.configuration["editor"]["label"],
        )
    ]  # fmt: skip
    if progress.partial:
        lines.append(Text(f"PARTIAL: {_what_is_missing(progress)}", style="bold yellow"))
    for run_id, count in report.shared_edits.items():
        lines.append(Text(f"{count:,} of {progress.edits.total:,} edits were made for run {run_id}", style="dim"))
    return Group(*lines)


def _what_is_missing(progress: Progress) -> str:
    missing = []
    if not progress.finished:
        scores = progress.scores_asked - progress.scores.ended
        missing.append(f"{progress.edits.open:,} edits and {scores:,} scores are still to come")
    if progress.cancelled:
        missing.append(f"{progress.cancelled:,} jobs were cancelled")
    return ", ".join(missing)


def _scorer_table(report: ScorerReport) -> Table:
    title = Text(f"scorer {report.scorer}")  # a Text, not a string: names and reasons are not rich's markup
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        show_footer=True,
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
    )
    table.add_column("category", footer="all", overflow="fold")
    overall = _cells(report.overall.summary)
    names = ("n", "scored", "failed", "coverage", "mean", "sd", "min", "max")
    for name, footer in zip(names, overall, strict=True):
        table.add_column(name, footer=footer, justify="right", no_wrap=True)
    for group in report.categories:
        table.add_row(Text(with_alias(group.category or "")), *_cells(group.summary))
    return table


def _cells(summary: Summary) -> list[str]:
    coverage = "–" if summary.coverage is None else f"{summary.coverage:.1%}"
    numbers = (summary.mean, summary.sd, summary.min, summary.max)
    return [
        f"{summary.n:,}",
        f"{summary.scored:,}",
        f"{summary.failed:,}",
        coverage,
        *("–" if number is None else f"{number:.2f}" for number in numbers),
    ]


def _failures(report: Report) -> Table:
    kinds = Counter(failure.kind for failure in report.failures)
    title = f"{len(report.failures):,} failed: " + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    table = Table(title=title, title_justify="left", title_style="bold red", box=box.SIMPLE_HEAD)
    for column in ("stage", "category", "sample", "kind", "reason"):
        table.add_column(column, overflow="fold")
    for failure in report.failures[:FAILURES_SHOWN]:
        stage = failure.stage.value if failure.scorer is None else f"{failure.stage.value} ({failure.scorer})"
        sample = failure.key if report.run.configuration["repeats"] == 1 else f"{failure.key} #{failure.repeat}"
        cells = (stage, with_alias(failure.category), sample, failure.kind, failure.reason)
        table.add_row(*(Text(cell) for cell in cells))
    if len(report.failures) > FAILURES_SHOWN:
        table.caption = f"and {len(report.failures) - FAILURES_SHOWN:,} more; `report --json` has them all"
    return table
