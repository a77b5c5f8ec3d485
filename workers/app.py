"""The Celery app, and what hooks into a worker's life: its name, its log, its end; and into Flower's."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click
from celery import Celery
from celery.signals import (
    celeryd_after_setup,
    celeryd_init,
    import_modules,
    setup_logging,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from celery.utils.log import get_multiprocessing_logger
from celery.utils.nodenames import default_nodename, gethostname, nodename
from kombu.transport import TRANSPORT_ALIASES

from db.broker import broker_address
from db.errors import WrongCall
from db.one_host import require_database_for_all
from db.settings import settings
from workers.last_words import write_to_parent
from workers.logs import configure_logging, log_as, log_uncaught

# Flower's own default is every network interface; FLOWER_ADDRESS or --address say otherwise.
os.environ.setdefault("FLOWER_ADDRESS", "127.0.0.1")

_FIRST_TO_GO = "700"  # of 1,000: the broker, a database and the parents stay, which know what to do then

# Before the first connection: what a worker hears from the broker goes through the door first.
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), "workers.broker.transport:Transport"))
TRANSPORT_ALIASES["sentinel"] = "workers.broker.transport:SentinelTransport"

app = Celery("workers")
app.config_from_object("celeryconfig")


@import_modules.connect
def _keep_flower_closed(**_: Any) -> None:
    """End a Flower that would let everybody in: it has read all its options when it has the app import its tasks."""
    context = click.get_current_context(silent=True)
    if context is None or context.command.name != "flower":
        return
    from tornado.options import options

    from workers.dashboard import require_login

    try:
        require_login(options)
    except WrongCall as error:
        _end_with(error)


@celeryd_init.connect
def _require_a_database_for_all(**_: Any) -> None:
    """End a worker that would hear of jobs which its ledger cannot have; what only inspects workers has no ledger."""
    try:
        require_database_for_all(broker_address())
    except WrongCall as error:
        _end_with(error)


def _end_with(error: WrongCall) -> NoReturn:
    """End this process with the error in a line: what a signal's receiver raises is logged with its traceback."""
    from db.command import say  # a terminal's colours, which no worker needs

    say(f"error: {error}")
    sys.exit(error.exit_code)


@celeryd_init.connect
def _name_worker(sender: str, instance: Any, options: Mapping[str, Any], **_: Any) -> None:
    """Name a worker that was given no name after its queues and its GPU."""
    if sender == default_nodename(""):
        instance.hostname = nodename(worker_name(options.get("queues") or ()), gethostname())
    log_as(instance.hostname)


def worker_name(queues: str | tuple[str, ...] | list[str]) -> str:
    """Return `edit-gpu3` for the pinned GPU 3, or `edit-12345` with the process number where none is pinned."""
    served = queues.split(",") if isinstance(queues, str) else queues
    pinned = os.environ.get("CUDA_VISIBLE_DEVICES", "").replace(",", "+")
    return f"{'+'.join(served) or 'all'}-{f'gpu{pinned}' if pinned else os.getpid()}"


@setup_logging.connect
def _log(loglevel: int | str, **_: Any) -> None:
    configure_logging(loglevel)
    log_uncaught()
    if (of_pool := get_multiprocessing_logger()) is not None:  # else it writes by itself, and as it likes
        of_pool.propagate, of_pool.level = True, logging.ERROR


@celeryd_after_setup.connect
def _let_pool_say_nothing(**_: Any) -> None:
    """Leave a spawned child no word before it has our log: Celery has it write some in a format of its own."""
    os.environ.pop("_MP_FORK_LOGLEVEL_", None)


@worker_process_init.connect
def _settle_in(**_: Any) -> None:
    """Prepare a child: its parent keeps its last words, and short of memory the host ends it before anything else."""
    with suppress(OSError):  # a parent that has just died, a system that is not Linux
        write_to_parent()
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)


@worker_ready.connect
def _take_interrupts(**_: Any) -> None:
    """Let Ctrl-C end a worker as SIGTERM does, with exit code 0: Celery's own answer to it is 1."""
    signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


@worker_shutting_down.connect
def _bound_the_grace(how: str, **_: Any) -> None:
    """Give the present job FARM_GRACE_SECONDS to finish; then, or at a second signal, Celery's cold shutdown ends it.

    Celery's own soft shutdown sleeps its whole time-out even when the job has long finished.
    """
    if how == "Warm":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: _end_now())
        timer = threading.Timer(settings().grace_seconds, _end_now)
        timer.daemon = True
        timer.start()


def _end_now() -> None:
    os.kill(os.getpid(), signal.SIGQUIT)
