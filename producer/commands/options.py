"""The options and arguments that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from db.errors import WrongCall

_F = TypeVar("_F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path, readable=False)
"""What cannot be read is told by who reads it, in a line, and not with the usage."""

benchmark_file = click.argument(
    "benchmark",
    metavar="FILE",
    type=click.Path(path_type=str, readable=False),
    help="A benchmark: a file, a folder, or a data set on the Hub as `hf://OWNER/NAME`, maybe with `@REVISION`.",
)
_RUN = "A run's id, its beginning, or `latest`."
one_run = click.argument("run", metavar="RUN", help=_RUN)
one_run_or_all = click.argument("run", metavar="[RUN]", required=False, help=f"{_RUN} [default: all runs]")
one_run_or_latest = click.argument("run", metavar="[RUN]", default="latest", help=f"{_RUN} [default: latest]")
one_sample = click.argument("sample", metavar="SAMPLE", help="Its key, or `category/key`.")
verbose_flag = click.option("--verbose", is_flag=True, help="Write every score as it comes in, with its reasons.")
json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def several_runs(metavar: str) -> Callable[[_F], _F]:
    """Return the argument of a command that takes several runs; it is called with `runs`."""
    return click.argument("runs", metavar=metavar, nargs=-1, required=True, help=_RUN)


def format_option(*formats: str, help: str) -> Callable[[_F], _F]:
    """Return `--format`, of which the first one is the default; it is called with `format_name`."""
    choice = click.Choice(formats)
    return click.option("--format", "format_name", type=choice, default=formats[0], show_default=True, help=help)


def output_option(help: str) -> Callable[[_F], _F]:
    """Return `-o` for what a command writes."""
    return click.option("-o", "--output", type=PATH, help=help)


def with_options(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Give a command these options, listed in this order."""

    def add(command: _F) -> _F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def benchmark_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument FILE, maybe a data set on the Hub, and the options on how to read it.

    It is called with `benchmark`, a Path or HubAddress, and `how`.
    """

    @wraps(command)
    def call(
        *, benchmark: str, layout: str | None, columns: tuple[str, ...], images: Path | None, **others: Any
    ) -> Any:
        from producer.benchmark.how import HowToRead, columns_by_part
        from producer.benchmark.hub.address import where_is
        from producer.benchmark.layouts.public import LAYOUTS

        if layout is not None and layout not in LAYOUTS:
            raise WrongCall(f"--format {layout}: expected one of {', '.join(LAYOUTS)}")
        how = HowToRead(layout, columns_by_part(columns), images, others.pop("split"), others.pop("subset"))
        return command(benchmark=where_is(benchmark), how=how, **others)

    return with_options(benchmark_file, *_reading)(call)


_reading = (
    click.option(
        "--format",
        "layout",
        metavar="NAME",
        help="Whose layout the benchmark has: `original`, `plain`, or a public benchmark's name, as in `kris`. "
        "[default: by its columns]",
    ),
    click.option(
        "--column",
        "columns",
        metavar="PART=COLUMN",
        multiple=True,
        help="Where a part of a sample stands: `key`, `category`, `instruction`, `source`, `description`, `reference` "
        "or `reference_text`. `key=#` numbers the rows, `category=:TEXT` is one text for all; may be repeated.",
    ),
    click.option(
        "--images",
        type=PATH,
        metavar="DIR",
        help="Where image paths begin, and the folder that they stay in. [default: beside the file]",
    ),
    click.option("--split", metavar="NAME", help="Which split, of a data set that has several."),
    click.option(
        "--subset",
        metavar="NAME",
        help="Which subset (configuration), of a data set on the Hub that has several.",
    ),
)


def _config(what: str) -> Callable[[_F], _F]:
    return click.option("--config", "file", type=PATH, help=f"{what}, a YAML file.")


def _scorer(likewise: str) -> Callable[[_F], _F]:
    return click.option("--scorer", "scorers", metavar="NAME", multiple=True, help=likewise)


def _aggregate(default: str) -> Callable[[_F], _F]:
    says = (
        "The score of a judge's criteria: `mean`, `min`, `geometric-mean`, or an expression of their names, as in "
        "`0.3*consistency + 0.7*quality`; `none`: the score that the judge itself gave."
    )
    return click.option("--aggregate", metavar="EXPR", help=f"{says} [default: {default}]")


_settings = click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="One option of a model, as in `editor.steps=4`; may be repeated.",
)
_recipe = with_options(
    click.option(
        "--recipe",
        metavar="NAME",
        help="Judge as a public benchmark's authors do, and report their tables too: `gedit`, `imgedit`, `kris`, "
        "`rise`, or a file of your own.",
    ),
    click.option(
        "--prompts",
        metavar="DIR",
        type=PATH,
        help="Your copy of that benchmark's code, where the recipe finds its prompts.",
    ),
)
_priority = click.option(
    "--priority", type=click.Choice(["low", "normal", "high"]), help="Whose jobs go first. [default: normal]"
)

run_options = with_options(
    _config("Run configuration"),
    click.option(
        "--editor", metavar="NAME", help="Editor, instead of the file's: a name, a folder, a hub id. [default: pillow]"
    ),
    click.option(
        "--edits",
        metavar="PATH",
        type=PATH,
        help="Judge edited images that are there already: a folder that holds them by the samples' keys, or a table "
        "(.csv, .tsv, .jsonl) of `key`, `category`, `repeat` and `image`. No editor runs; `--editor` is then only the "
        "name that reports show. [default: the folder's]",
    ),
    _scorer("Scorer, likewise; may be repeated. [default: reference]"),
    _settings,
    _recipe,
    _aggregate("none"),
    click.option("--repeats", type=int, help="Edits per sample, each with its own seed. [default: 1]"),
    click.option("--seed", type=int, help="Seed from which every edit's seed derives. [default: 0]"),
    click.option("--limit", type=int, help="Only the first so many samples of those chosen. [default: all]"),
    click.option(
        "--category",
        "categories",
        metavar="NAME",
        multiple=True,
        callback=lambda _context, _option, given: given or None,
        help="Only samples of this category; may be repeated. [default: all]",
    ),
    click.option("--sample-every", metavar="K", type=int, help="Only every K-th sample of those. [default: all]"),
    _priority,
    click.option(
        "--fresh", is_flag=True, default=None, help="Make every edit, also those that another run has already."
    ),
)
"""The options that a run is made of."""

scoring_options = with_options(
    _config("Run configuration, of which only what is about scoring counts"),
    _scorer("Scorer, instead of the file's; may be repeated. [default: the run's]"),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="One option of a scorer, as in `scorer.repeats=3`; may be repeated.",
    ),
    _recipe,
    _aggregate("the run's"),
    _priority,
)
"""The options that new scores are made of."""
