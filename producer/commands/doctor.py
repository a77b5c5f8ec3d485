"""The command that says what is wrong with a farm and how to mend it: `doctor`."""

from __future__ import annotations

import rich_click as click

from db.command import SOME_FAILED, say
from producer.commands.options import json_flag
from producer.commands.output import print_json, stdout


@click.command()
@click.option(
    "--model", "models", metavar="NAME", multiple=True, help="Look for this model's weights too; may be repeated."
)
@click.option("--ask-judges", is_flag=True, help="Ask the servers behind the judges of waiting runs.")
@click.option("--strict", is_flag=True, help="Let warnings count as faults: exit code 1.")
@json_flag
def doctor(models: tuple[str, ...], ask_judges: bool, strict: bool, as_json: bool) -> int:
    """Say what is wrong with broker, database, workers, store, GPUs, models and this host, and how to mend it.

    Changes nothing and starts nothing. Exit code 1 where there is a fault.
    """
    from producer.doctor.checks import CHECKS
    from producer.doctor.examine import examine
    from producer.doctor.finding import State
    from producer.doctor.schema import counted, diagnosis
    from producer.doctor.sights import Sights
    from producer.doctor.text import in_words, print_findings, worst

    findings = examine(CHECKS, Sights(models, asks_judges=ask_judges))
    if as_json:
        found = list(findings)
        print_json(diagnosis(found).model_dump(mode="json", by_alias=True))
    else:
        found = print_findings(stdout(), findings)
        say(in_words(counted(found)))
    bad = (State.FAULT, State.WARNING) if strict else (State.FAULT,)
    return SOME_FAILED if worst(found) in bad else 0
