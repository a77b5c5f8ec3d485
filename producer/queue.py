"""The producer's side of Celery: it sends messages to the workers by task name and knows nothing else of them."""

from __future__ import annotations

from functools import cache

from celery import Celery
from kombu.exceptions import OperationalError

from celeryconfig import message_for
from db.broker import broker_address, told_by
from db.broker_url import without_password
from db.errors import ServiceUnreachable
from db.jobs import Doorbell


@cache
def app() -> Celery:
    """Return the producer's own Celery app, without any task."""
    celery = Celery("producer", set_as_current=False)
    celery.config_from_object("celeryconfig")
    return celery


def send(doorbell: Doorbell) -> None:
    """Send one message. Raises ServiceUnreachable when the broker does not take it."""
    try:
        app().send_task(**message_for(doorbell))
    except OperationalError as error:
        broker = without_password(broker_address())
        raise ServiceUnreachable(f"the broker at {broker} went away: {told_by(error)}") from error
