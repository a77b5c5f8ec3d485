"""`python -m workers`: a farm on this machine, one worker per GPU; `make-tiny` writes models to try it with.

`compose` writes the workers as containers, `prefetch` brings models here before they are needed. `replay` does one
sample's jobs once more, for `python -m producer replay`.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import rich_click as click

from db.command import SOME_FAILED, run_command, say
from db.errors import WrongCall
from db.gpus import visible_gpus
from db.settings import settings

LAST_PORT = 65535


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--gpus", metavar="LIST", help="GPUs to use, as in `0,1,2`. [default: every visible GPU]")
@click.option("--gpus-per-worker", type=click.IntRange(min=1), default=1, show_default=True, help="For large models.")
@click.option("--workers", type=click.IntRange(min=1), help="Number of workers on CPUs, in place of GPUs.")
@click.option("--queues", default="edit,score", show_default=True, metavar="LIST", help="Queues each worker serves.")
@click.pass_context
def main(context: click.Context, gpus: str | None, gpus_per_worker: int, workers: int | None, queues: str) -> None:
    """Run one worker per GPU of this machine, start again those that die, end them gently on Ctrl-C."""
    if context.invoked_subcommand is None:
        _check_queues(queues)
        _run_farm(_environments(gpus, gpus_per_worker, workers), queues)


@main.command("make-tiny")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def make_tiny(folder: Path) -> None:
    """Write FOLDER/editor and FOLDER/judge: real architectures, tiny random weights, for trials without a GPU."""
    try:
        from workers.models.loading.quiet import quiet_libraries
        from workers.tiny.editor import make_editor
        from workers.tiny.judge import make_judge
    except ImportError as error:
        raise WrongCall(f"{error.name} is not installed: pip install 'editfarm[gpu]'") from error
    quiet_libraries()
    make_editor(folder / "editor")
    make_judge(folder / "judge")
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)  # the libraries write them for their owner alone; workers may be other users
    say(f"--editor {folder / 'editor'} --scorer {folder / 'judge'}")


@main.command("compose")
@click.option("--gpus", metavar="LIST", required=True, help="GPUs of the host, as in `0-7`, `0-3,5`, or UUIDs.")
@click.option("--edit", type=click.IntRange(min=0), default=0, show_default=True, help="How many of them only edit.")
@click.option("--score", type=click.IntRange(min=0), default=0, show_default=True, help="How many only score.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File. [default: stdout]")
def compose(gpus: str, edit: int, score: int, output: Path | None) -> None:
    """Write a Compose service for each GPU, to lie beside docker/compose.yaml; those left over both edit and score."""
    from workers.commands.compose import compose_override

    text = compose_override(gpus, edit=edit, score=score)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text)


@main.command("prefetch")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
def prefetch_models(models: tuple[str, ...]) -> None:
    """Fetch the weights of these models in turn: names as `--editor` and `--scorer` take them, hub ids, folders."""
    try:
        from workers.commands.prefetch import prefetch
    except ImportError as error:
        raise WrongCall(f"{error.name} is not installed: pip install 'editfarm[gpu]'") from error
    prefetch(*models)


@main.command()
@click.argument("run", metavar="RUN")
@click.argument("sample", metavar="SAMPLE")
@click.option("--repeat", type=click.IntRange(min=0), default=0, show_default=True, help="Which of its edits.")
@click.option(
    "--stage", type=click.Choice(["edit", "score"]), help="Only the edit, or only the scores. [default: both]"
)
@click.option("--scorer", metavar="LABEL", help="Only this scorer. [default: all of the run]")
@click.option("--new-image", is_flag=True, help="Score the image that is made now, not the stored one.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the new image.")
def replay(run: str, sample: str, stage: str | None, **options: Any) -> int:
    """Do one sample's jobs once more, here in the foreground with full logs; the ledger stays as it is."""
    from db.farm import engine, images
    from db.queries import find_run
    from db.tables import Stage
    from workers.commands.replay import Replay, Wanted
    from workers.logs import configure_logging

    configure_logging("INFO", ours="DEBUG")
    for number in (signal.SIGINT, signal.SIGTERM):  # at once, whatever a library is in the middle of
        signal.signal(number, signal.SIG_DFL)
    wanted = Wanted(stage=Stage(stage) if stage else None, **options)
    return 0 if Replay(engine(), images(), find_run(engine(), run), sample, wanted).all_done() else SOME_FAILED


def _run_farm(environments: dict[str, dict[str, str]], queues: str) -> None:
    from db.broker import require_broker
    from db.broker_url import BrokerUrl
    from db.engine import open_engine
    from db.images.address import open_store
    from workers.app import app
    from workers.commands.supervisor import Supervisor, import_for_workers, worker_process
    from workers.logs import configure_logging

    address = require_broker()
    open_engine(settings().database).dispose()  # the schema is made once, before the workers race for it
    open_store(settings().image_store)  # an address that is none is told once, and here
    configure_logging("INFO")
    # The address as it is now: a worker that is started while the embedded broker is down would look elsewhere.
    os.environ["FARM_BROKER_URL"] = address
    app.conf.update(broker_url=BrokerUrl.read(address).for_celery)
    settings.cache_clear()
    prefix = queues.replace(",", "+")
    environments = _with_ports(environments)
    processes = [worker_process(f"{prefix}-{slot}", queues, environment) for slot, environment in environments.items()]
    import_for_workers()
    Supervisor(processes, grace_seconds=settings().grace_seconds).run()


def _check_queues(queues: str) -> None:
    wrong = [queue for queue in queues.split(",") if queue not in ("edit", "score")]
    if wrong:
        raise WrongCall(f"--queues {queues}: there is no queue {wrong[0]!r}; expected edit, score or edit,score")


def _environments(gpus: str | None, gpus_per_worker: int, workers: int | None) -> dict[str, dict[str, str]]:
    """Return, by the place that names the worker, what each worker's environment adds."""
    if gpus is not None and workers is not None:
        raise WrongCall("--gpus and --workers exclude each other")
    if workers is not None:
        return _on_cpus(workers)
    chosen = [gpu.strip() for gpu in gpus.split(",")] if gpus is not None else visible_gpus()
    if not chosen:
        raise WrongCall("this machine shows no GPU: say --workers N for N workers on CPUs, or --gpus LIST")
    if "" in chosen or len(set(chosen)) < len(chosen):
        raise WrongCall(f"--gpus {gpus}: expected different GPUs, as in 0,1,2")
    if len(chosen) % gpus_per_worker:
        raise WrongCall(f"--gpus-per-worker {gpus_per_worker}: {len(chosen)} GPUs do not make whole groups of it")
    groups = [chosen[start : start + gpus_per_worker] for start in range(0, len(chosen), gpus_per_worker)]
    return {
        f"gpu{'+'.join(group)}": {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(group)}
        for group in groups
    }


def _with_ports(environments: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Give each worker a port of its own for its metrics, where there are to be any."""
    first = settings().metrics_port
    if first is None:
        return environments
    if (last := first + len(environments) - 1) > LAST_PORT:
        raise WrongCall(f"FARM_METRICS_PORT {first}: {len(environments)} workers would need ports up to {last}")
    return {
        slot: {**environment, "FARM_METRICS_PORT": str(first + number)}
        for number, (slot, environment) in enumerate(environments.items())
    }


def _on_cpus(workers: int) -> dict[str, dict[str, str]]:
    """Share the cores out: each torch would otherwise take all of them."""
    cores = str(max(1, (os.cpu_count() or 1) // workers))
    return {f"cpu{number}": {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": cores} for number in range(workers)}


if __name__ == "__main__":
    run_command(main, "python -m workers")
