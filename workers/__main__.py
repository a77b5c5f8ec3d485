"""`python -m workers`: a farm on this machine, one worker per GPU."""

from __future__ import annotations

import os

import rich_click as click

from db.command import run_command
from db.errors import WrongCall
from db.settings import settings


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--gpus", metavar="LIST", help="GPUs to use, as in `0,1,2`. [default: every visible GPU]")
@click.option("--workers", type=click.IntRange(min=1), help="Number of workers on CPUs, in place of GPUs.")
@click.option("--queues", default="edit,score", show_default=True, metavar="LIST", help="Queues each worker serves.")
def main(gpus: str | None, workers: int | None, queues: str) -> None:
    """Run one worker per GPU of this machine, start again those that die, end them gently on Ctrl-C."""
    from db import farm
    from db.broker import require_broker
    from workers.logs import configure_logging
    from workers.supervisor import Supervisor, worker_process

    _check_queues(queues)
    environments = _environments(gpus, workers)
    require_broker()
    farm.engine().dispose()  # the schema is made once, before the workers race for it
    configure_logging("INFO")
    prefix = queues.replace(",", "+")
    processes = [
        worker_process(f"{prefix}-{slot}", queues, {**os.environ, **environment})
        for slot, environment in environments.items()
    ]
    Supervisor(processes, grace_seconds=settings().grace_seconds).run()


def _check_queues(queues: str) -> None:
    wrong = [queue for queue in queues.split(",") if queue not in ("edit", "score")]
    if wrong:
        raise WrongCall(f"--queues {queues}: there is no queue {wrong[0]!r}; expected edit, score or edit,score")


def _environments(gpus: str | None, workers: int | None) -> dict[str, dict[str, str]]:
    """Return, by the place that names the worker, what each worker's environment adds."""
    if gpus is not None and workers is not None:
        raise WrongCall("--gpus and --workers exclude each other")
    if workers is not None:
        return {f"cpu{number}": {"CUDA_VISIBLE_DEVICES": ""} for number in range(workers)}
    from workers.gpu import visible_gpus

    chosen = [gpu.strip() for gpu in gpus.split(",")] if gpus is not None else visible_gpus()
    if not chosen:
        raise WrongCall("this machine shows no GPU: say --workers N for N workers on CPUs, or --gpus LIST")
    if "" in chosen or len(set(chosen)) < len(chosen):
        raise WrongCall(f"--gpus {gpus}: expected different GPUs, as in 0,1,2")
    return {f"gpu{gpu}": {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": gpu} for gpu in chosen}


if __name__ == "__main__":
    run_command(main, "python -m workers")
