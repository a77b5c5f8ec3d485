"""The two tasks, `edit` and `score`: a message of either wakes the pool child, and it works until nothing is left.

Which job a message names does not matter any more when it comes: the ledger says what is to be done
(`workers.stint.supply`).
"""

from __future__ import annotations

import os
import sys
from typing import Any

import structlog
from celery import Task
from celery.signals import worker_process_init

from db.errors import ServiceUnreachable, first_line
from db.tables import Stage
from workers.app import app
from workers.models.errors import DeviceBroken
from workers.pulse import DEVICE_BROKEN_EXIT

log = structlog.get_logger()


@worker_process_init.connect
def _prepare_for_work(**_: Any) -> None:
    """Import what jobs need and ask the ledger, so that no job waits for it; a database that is away is awaited later.

    The heavy libraries come with the first model that needs them.
    """
    from sqlalchemy.exc import DBAPIError

    import workers.stint.loop  # noqa: F401
    from db import farm
    from workers.stint.supply import rehearse

    try:
        rehearse(farm.ledger())
    except (ServiceUnreachable, DBAPIError) as error:
        log.warning("child.no_ledger", reason=first_line(error), next="tried again with its first job")


@app.task(name=Stage.EDIT.value, bind=True, typing=True, send_events=False)
def edit(self: Task[..., None], _edit_id: int) -> None:
    """Make edits, and whatever else this worker serves, until there is nothing to do."""
    _work(self, Stage.EDIT)


@app.task(name=Stage.SCORE.value, bind=True, typing=True, send_events=False)
def score(self: Task[..., None], _score_id: int) -> None:
    """Give scores, likewise."""
    _work(self, Stage.SCORE)


def _work(task: Task[..., None], stage: Stage) -> None:
    from workers.stint.desk import open_desk  # the parent imports this module too, and needs no images
    from workers.stint.loop import Stint

    desk = open_desk(str(task.request.hostname))
    desk.begin(str(task.request.id), stage)
    Stint(desk, _end_with_the_device).work()


def _end_with_the_device(error: DeviceBroken) -> None:
    """End this process: a broken context would fail every job after this one."""
    log.error("device.broken", reason=str(error), next="this process ends, a new one starts")
    sys.stderr.flush()
    os._exit(DEVICE_BROKEN_EXIT)
