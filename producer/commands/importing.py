"""The command that takes in what others have published: `import-scores`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from db.command import say
from producer.commands.options import PATH


@click.command("import-scores")
@click.argument("file", metavar="FILE", type=PATH, help="JSON Lines, of one score each.")
@click.option("--name", metavar="NAME", help="The benchmark's name, shared by all files of it. [default: the file's]")
@click.option(
    "--scale",
    nargs=2,
    type=float,
    default=None,
    metavar="MIN MAX",
    help="The least and the greatest value that there may be. [default: 0 10]",
)
@click.option(
    "--aggregate",
    metavar="EXPR",
    help="The score of scorers that give dimensions only, as `submit` has it. [default: mean]",
)
@click.option(
    "--recipe",
    metavar="NAME",
    help="The numbers, or replies, of a public benchmark's own judge: `gedit`, `imgedit`, `kris`, `rise`, or a file of "
    "your own. What was not given is made of what was, and reports have its authors' tables.",
)
@click.option("--allow-missing", is_flag=True, help="Enter scores that the file does not have as failed.")
def import_scores(
    file: Path,
    name: str | None,
    scale: tuple[float, float] | None,
    aggregate: str | None,
    recipe: str | None,
    allow_missing: bool,
) -> None:
    """Enter published scores, JSON Lines of one score each, as runs that have ended; print a run's id per editor."""
    from db.farm import images, ledger
    from producer.published_scores.enter import import_scores as import_file
    from producer.published_scores.publication import publication_of

    publication = publication_of(
        file, name=name, scale=scale, aggregate=aggregate, allow_missing=allow_missing, recipe=recipe
    )
    imported = import_file(publication, ledger=ledger(), images=images())
    if imported.aggregated:
        how = publication.aggregate.text
        say(f"scores by {', '.join(imported.aggregated)} are made of their dimensions: {how} (--aggregate)")
    if imported.missing:
        say(f"{imported.missing:,} scores are not in the file and count as failed")
    for editor, run_id in imported.run_ids.items():
        say(f"run {run_id}: {editor}{'' if run_id in imported.new else ', imported before'}")
        click.echo(run_id)
