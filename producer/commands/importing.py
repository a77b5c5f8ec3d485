"""The command that takes in what others have published: `import-scores`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from db.command import say


@click.command("import-scores")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="The benchmark's name, shared by all files of it. [default: the file's]")
@click.option(
    "--scale", nargs=2, type=float, default=(0, 10), show_default=True, metavar="MIN MAX", help="Of the values."
)
@click.option(
    "--aggregate",
    metavar="EXPR",
    help="The score of scorers that give dimensions only, as `submit` has it. [default: mean]",
)
@click.option("--allow-missing", is_flag=True, help="Enter scores that the file does not have as failed.")
def import_scores(
    file: Path, name: str | None, scale: tuple[float, float], aggregate: str | None, allow_missing: bool
) -> None:
    """Enter published scores, JSON Lines of one score each, as runs that have ended; print a run's id per editor."""
    from db.farm import images, ledger
    from producer.published_scores.enter import import_scores as import_file
    from producer.published_scores.read import publication_of

    publication = publication_of(file, name=name, scale=scale, aggregate=aggregate, allow_missing=allow_missing)
    imported = import_file(publication, ledger=ledger(), images=images())
    if imported.aggregated:
        how = publication.aggregate.text
        say(f"scores by {', '.join(imported.aggregated)} are made of their dimensions: {how} (--aggregate)")
    if imported.missing:
        say(f"{imported.missing:,} scores are not in the file and count as failed")
    for editor, run_id in imported.run_ids.items():
        say(f"run {run_id}: {editor}{'' if run_id in imported.new else ', imported before'}")
        click.echo(run_id)
