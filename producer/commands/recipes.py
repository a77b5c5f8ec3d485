"""The command that says which recipes there are: `recipes`."""

from __future__ import annotations

import rich_click as click

from producer.commands.options import json_flag
from producer.commands.output import print_json, stdout


@click.command()
@json_flag
def recipes(as_json: bool) -> None:
    """List the recipes by which public benchmarks are judged, and where each finds its prompts."""
    from rich.table import Table

    from producer.recipes.recipe import read_recipe, recipe_names

    known = [read_recipe(name) for name in recipe_names()]
    if as_json:
        told = {"name", "benchmark", "follows", "judge", "notes"}
        print_json([{**recipe.model_dump(include=told), "files": recipe.files()} for recipe in known])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("recipe", "benchmark", "follows", "its judge", "prompts in"):
        table.add_column(column, overflow="fold")  # a file's name is looked for as it stands here
    for recipe in known:
        table.add_row(recipe.name, recipe.benchmark, recipe.follows, recipe.judge, "\n".join(recipe.files()))
    stdout().print(table)
