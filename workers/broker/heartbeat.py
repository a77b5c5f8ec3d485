"""What a worker tells all others: its heartbeat, said once. What others tell it is left out, it needs none of it.

Celery says a heartbeat again until it is heard, and nothing else meanwhile: while a broker is silent the parent would
notice neither that, nor a dead child, nor that it is told to stop.
"""

from __future__ import annotations

from typing import Any

from celery.events.dispatcher import EventDispatcher
from celery.signals import worker_init


@worker_init.connect
def _say_once_and_hear_nothing(sender: Any, **_: Any) -> None:
    sender.app.events.dispatcher_cls = Dispatcher
    sender.options.update(without_gossip=True, without_mingle=True)


class Dispatcher(EventDispatcher):
    """Sends every event once; one that is not taken waits for the next connection."""

    def send(self, type: str, *arguments: Any, **fields: Any) -> None:
        """Send the event, or keep it."""
        super().send(type, *arguments, **{**fields, "retry": False})
