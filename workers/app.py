"""The Celery app, and what hooks into a worker's life: its name, its log, its lease keeper."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, setup_logging, worker_process_init, worker_ready, worker_shutdown
from celery.utils.nodenames import default_nodename

from workers.logs import configure_logging

app = Celery("workers")
app.config_from_object("celeryconfig")


@celeryd_init.connect
def _name_worker(sender: str, instance: Any, options: Mapping[str, Any], **_: Any) -> None:
    """Name a worker that was given no name after its queues and its GPU."""
    if sender == default_nodename(""):
        instance.hostname = default_nodename(worker_name(options.get("queues") or ()))


def worker_name(queues: str | tuple[str, ...] | list[str]) -> str:
    """Return `edit-gpu3` for the pinned GPU 3, or `edit-12345` with the process number where none is pinned."""
    served = queues.split(",") if isinstance(queues, str) else queues
    pinned = os.environ.get("CUDA_VISIBLE_DEVICES", "").replace(",", "+")
    return f"{'+'.join(served) or 'all'}-{f'gpu{pinned}' if pinned else os.getpid()}"


@setup_logging.connect
def _log(loglevel: int | str, **_: Any) -> None:
    configure_logging(loglevel)


@worker_process_init.connect
def _open_ledger(**_: Any) -> None:
    """Open the ledger when a child starts, so that a wrong database shows at once and no job waits for it."""
    from db import farm

    farm.ledger()


@worker_ready.connect
def _keep_leases(sender: Any, **_: Any) -> None:
    from workers.lease import LeaseKeeper

    worker = sender.controller
    if not hasattr(worker, "lease_keeper"):  # ready comes again after each reconnection to the broker
        worker.lease_keeper = LeaseKeeper(worker)
        worker.lease_keeper.start()


@worker_shutdown.connect
def _release_claims(sender: Any, **_: Any) -> None:
    if keeper := getattr(sender, "lease_keeper", None):
        keeper.stop()
