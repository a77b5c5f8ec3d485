"""The command that asks whether a judge may be trusted: `judge-check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from producer.commands.options import PATH, format_option, json_flag, output_option, several_runs
from producer.commands.output import write_document

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("judge-check")
@several_runs("RUN ...")
@click.option("--human", metavar="FILE", type=PATH, help="People's ratings or preferences.")
@click.option("--pairs", metavar="FILE", type=PATH, help="What judges said of pairs they were shown.")
@click.option("--scorer", "scorers", metavar="LABEL", multiple=True, help="Only this scorer; may be repeated.")
@click.option("--dimension", "dimensions", metavar="NAME", multiple=True, help="Only this dimension; may be repeated.")
@format_option("table", "json", "csv", "md", help="How it is written.")
@json_flag
@output_option("File to write it to. [default: stdout]")
def judge_check(
    runs: Sequence[str],
    format_name: str,
    as_json: bool,
    output: Path | None,
    **given: Any,
) -> None:
    """Hold a judge's scores against people's, against its own repeats, and against the order in which it saw a pair.

    Files are JSON Lines (`.jsonl`), CSV or TSV. Of `--human`: sample, editor, rater, value, or sample, better, worse.
    Of `--pairs`: sample, first, second, preferred.
    """
    from db.farm import engine
    from producer.judge_check.document import check_document
    from producer.judge_check.gather import Asked, check_judge

    check = check_judge(engine(), runs, Asked(**given))
    write_document(check_document(check), "json" if as_json else format_name, output)
