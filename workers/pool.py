"""Celery's pool of child processes, which here forgets the pipes of a child that died at a job.

Celery 5.7 closes such a child's pipes and makes new ones, but goes on taking the old number for that of a pipe with
results. The system gives the number out again, and to the pipe through which the next child gets its jobs as soon as to
any other. After the next reconnection to the broker the parent reads that pipe as well: jobs that it writes to the
child it takes out again itself, and the worker stands still.
"""

from __future__ import annotations

from typing import Any

from celery.concurrency import asynpool, prefork


class AsynPool(asynpool.AsynPool):
    """A pool whose index of result pipes names only those of children that have them open."""

    _fileno_to_outq: dict[int, Any]

    def destroy_queues(self, queues: Any, proc: Any) -> Any:
        """Forget a dead child's pipe of results, and let Celery close all that it had."""
        results = proc.outqR_fd
        if self._fileno_to_outq.get(results) is proc:
            del self._fileno_to_outq[results]
        return super().destroy_queues(queues, proc)


class TaskPool(prefork.TaskPool):
    """Celery's `prefork`, with the pool above; `celeryconfig.py` names it."""

    Pool = AsynPool
