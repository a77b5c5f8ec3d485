"""Serves a worker's metrics by HTTP, from its parent: the port stays while children come and go.

The parent begins when it is ready, because with a thread it can fork no child any more, and ends with itself.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from celery.signals import worker_init, worker_ready

from db.gpus import gpu_of
from db.settings import settings
from workers.app import app
from workers.tally import TallyPipe, no_tally

log = structlog.get_logger()


@worker_init.connect
def _open_tally(sender: Any, **_: Any) -> None:
    """Make what the children count into, before the first one starts."""
    no_tally()
    sender.tally_pipe = TallyPipe() if settings().metrics_port is not None else None


@worker_ready.connect
def _serve_once(sender: Any, **_: Any) -> None:
    worker = sender.controller
    pipe, worker.tally_pipe = worker.tally_pipe, None  # ready comes again after each reconnection to the broker
    if pipe is not None:
        serve(pipe, str(worker.hostname), sorted(app.amqp.queues.consume_from))


def serve(pipe: TallyPipe, worker: str, queues: list[str]) -> None:
    """Begin to add up and to serve. A port that is not to be had is told, and the worker goes on without."""
    from prometheus_client import start_http_server

    from workers.metrics.catalogue import Source
    from workers.metrics.gpus import own_gpus
    from workers.metrics.readings import of_broker, of_ledger
    from workers.metrics.registry import Registry
    from workers.metrics.sampling import Sampler

    samplers = [
        Sampler(Source.LEDGER, of_ledger),
        Sampler(Source.BROKER, of_broker),
        Sampler(Source.GPU, own_gpus),
    ]
    registry = Registry(samplers)
    registry.tell_worker(worker, ",".join(queues), gpu_of(worker))
    adding = threading.Thread(target=registry.add_all, args=(pipe.counted(),), name="metrics", daemon=True)
    adding.start()
    address, port = settings().metrics_address, settings().metrics_port
    try:
        start_http_server(port or 0, address, registry.prometheus)
    except OSError as error:
        advice = "the worker goes on without metrics; set FARM_METRICS_PORT or FARM_METRICS_ADDRESS, and start it again"
        log.error("metrics.not_served", address=address, port=port, reason=str(error), next=advice)
    else:
        log.info("metrics.served", address=address, port=port)
