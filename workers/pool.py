"""Celery's pool of child processes, which here forks its first child and forgets the pipes of one that died at a job.

A forked child need not import again what its parent has, which takes most of a start. But a fork has no thread of its
parent's, and whatever lock one of them held stays held: so it is for the first child only, which is made before the
worker's parent has threads. Others are new interpreters. CUDA allows both: no parent ever uses it.

Celery 5.7 closes such a child's pipes and makes new ones, but goes on taking the old number for that of a pipe with
results. The system gives the number out again, and to the pipe through which the next child gets its jobs as soon as to
any other. After the next reconnection to the broker the parent reads that pipe as well: jobs that it writes to the
child it takes out again itself, and the worker stands still.
"""

from __future__ import annotations

from typing import Any

from billiard import get_context
from celery.concurrency import asynpool, prefork

from db.child import may_fork


class AsynPool(asynpool.AsynPool):
    """A pool that forks while it may, and whose index of result pipes names only those that children have open."""

    _fileno_to_outq: dict[int, Any]

    def _create_worker_process(self, i: int) -> Any:
        context: Any = get_context("fork" if may_fork() else "spawn")
        self._ctx, self._Process = context, context.Process
        return super()._create_worker_process(i)  # type: ignore[misc]

    def destroy_queues(self, queues: Any, proc: Any) -> Any:
        """Forget a dead child's pipe of results, and let Celery close all that it had."""
        results = proc.outqR_fd
        if self._fileno_to_outq.get(results) is proc:
            del self._fileno_to_outq[results]
        return super().destroy_queues(queues, proc)


class TaskPool(prefork.TaskPool):
    """Celery's `prefork`, with the pool above; `celeryconfig.py` names it."""

    Pool = AsynPool
