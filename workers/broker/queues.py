"""The two queues as a worker uses them besides consuming: it sends a message, and counts those that wait."""

from __future__ import annotations

from typing import Any

from celeryconfig import message_for
from db.jobs import Doorbell
from db.tables import Stage
from workers.app import app


def send(doorbell: Doorbell) -> None:
    """Send one message. Raises kombu's OperationalError when the broker does not take it."""
    app.send_task(**message_for(doorbell))


def messages_waiting() -> dict[Stage, int]:
    """Return how many messages of each stage wait. Raises what kombu and redis raise for a broker that is gone."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        # Not passively: kombu would look for the queue without the farm's prefix, and find it empty at all times.
        return {stage: int(channel.queue_declare(stage.value).message_count) for stage in Stage}
