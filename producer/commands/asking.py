"""The commands that ask for a run: `submit`, and `run`, which does all of it on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from db.command import say
from producer.commands.options import benchmark_argument, json_flag, run_options, verbose_flag
from producer.commands.output import exit_code, stderr, write_document

if TYPE_CHECKING:
    from db.configuration import RunConfiguration
    from db.presence import Present
    from producer.benchmark.how import HowToRead
    from producer.benchmark.hub.address import Where
    from producer.given_edits.enter import Given
    from producer.submit import Submitted


@click.command()
@benchmark_argument
@run_options
def submit(benchmark: Where, how: HowToRead, **choices: Any) -> None:
    """Check a benchmark, enter a run of it and send its jobs to the workers; print the run's id."""
    edits = choices.pop("edits")
    submitted = _submit(benchmark, how, _configuration(edits, choices), edits)
    click.echo(submitted.run_id)


@click.command()
@benchmark_argument
@run_options
@click.option("--workers", type=click.IntRange(min=1), help="Number of workers on CPUs. [default: by the models]")
@click.option("--gpus", metavar="LIST", help="GPUs to use, as in `0,1,2`. [default: all, where a model needs one]")
@verbose_flag
@json_flag
def run(benchmark: Where, workers: int | None, gpus: str | None, verbose: bool, as_json: bool, **choices: Any) -> int:
    """Do it all on this machine: broker, workers, submit, watch and report; nothing is left running."""
    from db.broker import SameBroker, embedded_address, require_broker
    from db.farm import engine
    from db.queries import find_run
    from db.settings import settings
    from producer.broker import embedded_broker
    from producer.commands.pictures import write_pictures
    from producer.farm import farm, farm_flags, require_healthy_gpu, require_own_place
    from producer.report.document import report_document
    from producer.report.gather import gather_report
    from producer.watch import watch

    edits, how = choices.pop("edits"), choices.pop("how")
    configuration = _configuration(edits, choices)
    flags = farm_flags(configuration, gpus=gpus, workers=workers)
    require_own_place(engine(), gpus)
    with ExitStack() as stack:
        if settings().broker_url is None and embedded_address() is None:
            stack.enter_context(embedded_broker())
        same_broker = SameBroker(require_broker())
        submitted = _submit(benchmark, how, configuration, edits)
        check_farm = stack.enter_context(farm(flags))

        def check(present: Sequence[Present]) -> None:
            check_farm()
            same_broker.require()
            require_healthy_gpu(present)

        try:
            found = find_run(engine(), submitted.run_id)
            progress = watch(engine(), found, stderr(), check=check, verbose=verbose)
        except KeyboardInterrupt:
            say(f"ending; jobs under way have {settings().grace_seconds} s, a second Ctrl-C ends them at once")
            say(f"the same command goes on where this one stopped (run {submitted.run_id})")
            raise
    report = gather_report(engine(), submitted.run_id)
    write_document(report_document(report), "json" if as_json else "table")
    say(f"pictures: {write_pictures([report])}")
    return exit_code(progress)


def say_what_is_asked(run_id: str, new: bool, configuration: RunConfiguration, otherwise: str = "") -> None:
    """Say how long it takes, what of it is there already, and which scorers would say one thing several times."""
    from db.farm import engine
    from db.queries import shared_edits
    from producer.plan import forecast
    from producer.words import in_words

    if (seconds := forecast(engine())) is not None and seconds >= 1:
        say(f"the farm needs about {in_words(seconds)} for all that waits")
    for other, count in shared_edits(engine(), run_id).items():
        say(f"{count:,} edits are there already: run {other} asked for the same{otherwise}")
    if not new:
        say(f"run {run_id} was asked for before; it goes on where it stands")
    for scorer in configuration.judged_alike():
        say(
            f"scorer {scorer.label!r} says the same each of the {scorer.repeats} times that it judges an edit: "
            "only a judge with a temperature above 0 draws its words"
        )


def _configuration(edits: Path | None, choices: dict[str, Any]) -> RunConfiguration:
    from producer.choices import choose, choose_given
    from producer.recipes.follow import following

    recipe = following(choices.pop("recipe"), choices.pop("prompts"))
    named = {name: choices.pop(name) for name in ("file", "scorers", "settings")}
    editor = choices.pop("editor")
    if edits is None:
        return choose(editor=editor, **named, others=choices, recipe=recipe)
    label = edits.resolve().name if edits.is_dir() else edits.stem
    return choose_given(label if editor is None else editor, **named, others=choices, recipe=recipe)


def _submit(benchmark: Where, how: HowToRead, configuration: RunConfiguration, edits: Path | None) -> Submitted:
    from db.broker import require_broker
    from db.farm import images, ledger
    from producer.benchmark import open_benchmark
    from producer.given_edits.enter import submit_given
    from producer.queue import send
    from producer.submit import submit

    opened = open_benchmark(benchmark, how)
    require_broker()
    if edits is None:
        submitted = submit(opened, configuration, ledger=ledger(), images=images(), send=send)
    else:
        given = submit_given(opened, edits, configuration, ledger=ledger(), images=images(), send=send)
        submitted = given.submitted
        _say_what_is_given(edits, given)
    checked = submitted.benchmark
    for remark in opened.remarks():
        say(remark)
    say_what_is_asked(submitted.run_id, submitted.new, configuration, " (--fresh makes them anew)")
    needy = any(spec.needs_reference for spec in configuration.specs())
    if needy and checked.without_reference:
        say(
            f"{checked.without_reference:,} of {checked.sample_count:,} samples have no reference image "
            "and will fail at a scorer that needs one"
        )
    return submitted


def _say_what_is_given(edits: Path, given: Given) -> None:
    from producer.given_edits.folder import listed

    if given.missing:
        say(f"{given.missing:,} of {given.asked:,} edits have no image in {edits}: they count as failed")
    if given.unused:
        files = "1 image file belongs" if len(given.unused) == 1 else f"{len(given.unused):,} image files belong"
        say(f"{files} to no sample: {listed(given.unused)}")
