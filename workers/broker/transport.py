"""kombu's Redis transport with the door in it: what a worker reads from the broker is checked before kombu sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import redis
import structlog
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual

from db.tables import Stage
from workers.broker.door import Refused, check_doorbell, check_envelope, check_unacknowledged

log = structlog.wrap_logger(logging.getLogger(__name__))  # `celery inspect` comes here too, and keeps stdout to itself

EXCERPT_BYTES = 200
"""How much of a refused message is logged."""


class PubSub(kombu_redis.PrefixedRedisPubSub):
    """Lets in what is sound of that which was said to all workers; the names here are without the farm's prefix."""

    def parse_response(self, *args: Any, **options: Any) -> Any:
        """Return the next reply of the broker, None instead of a message that is refused."""
        reply = super().parse_response(*args, **options)
        if not isinstance(reply, list) or reply[0] not in (b"message", b"pmessage"):
            return reply
        *_, channel, message = reply
        return reply if _comes_in(check_envelope, message, channel) else None


class Client(kombu_redis.PrefixedStrictRedis):
    """Lets in what is sound of that which waits in the lists; likewise."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Return the broker's reply; to BRPOP None, as if nothing had come, instead of a message that is refused."""
        reply = super().parse_response(connection, command_name, **options)
        if command_name != "BRPOP" or not reply:
            return reply
        source, message = reply
        queue = source.decode(errors="replace").split(kombu_redis.Channel.sep)[0]
        check = (lambda raw: check_doorbell(raw, queue)) if queue in set(Stage) else check_envelope
        return reply if _comes_in(check, message, source) else None

    def pubsub(self, **options: Any) -> PubSub:
        """Return what listens to messages for all workers."""
        return PubSub(self.connection_pool, global_keyprefix=self.global_keyprefix, **options)


class QoS(kombu_redis.QoS):
    """Puts back only what can be put back: an entry that cannot would hold up all behind it.

    A message whose acknowledgement the broker does not take is not in hand any more either: Celery only logs that, and
    a worker that may hold one message would never take another. It comes again as lost, and finds nothing to do.
    """

    def ack(self, delivery_tag: Any) -> None:
        """Acknowledge a message. Raises what redis raises, and lets go of the message all the same."""
        with self._letting_go(delivery_tag):
            super().ack(delivery_tag)

    def reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        """Put a message back or drop it; likewise."""
        with self._letting_go(delivery_tag):
            super().reject(delivery_tag, requeue)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put an unacknowledged message back into its queue, or drop it when it is none."""
        with self.channel.conn_or_acquire(client) as used:  # type: ignore[attr-defined]
            entry = used.hget(self.unacked_key, tag)
            if entry is not None and not _comes_in(check_unacknowledged, entry, self.unacked_key.encode()):
                self._remove_from_indices(tag).execute()  # type: ignore[attr-defined]
        super().restore_by_tag(tag, client, leftmost)

    @contextmanager
    def _letting_go(self, delivery_tag: Any) -> Iterator[None]:
        try:
            yield
        except Exception:
            virtual.QoS.ack(self, delivery_tag)  # of the base: it only keeps count
            raise


class _Door:
    """Gives a channel of kombu's the door's client."""

    global_keyprefix: str

    def _get_client(self) -> Callable[..., redis.Redis]:
        super()._get_client()  # type: ignore[misc]  # checks the version of redis-py
        return partial(Client, global_keyprefix=self.global_keyprefix)


class Channel(_Door, kombu_redis.Channel):
    """A channel to one server."""

    QoS = QoS


class SentinelChannel(_Door, kombu_redis.SentinelChannel):
    """A channel to the server that sentinels name."""

    QoS = QoS


class Transport(kombu_redis.Transport):
    """A transport whose channels are the door's; `workers/app.py` puts it in the place of kombu's."""

    Channel = Channel


class SentinelTransport(kombu_redis.SentinelTransport):
    """Likewise, where sentinels name the server."""

    Channel = SentinelChannel


def _comes_in(check: Callable[[bytes], None], message: bytes, source: bytes) -> bool:
    try:
        check(message)
    except Refused as refusal:
        log.warning(
            "message.refused",
            source=_cleaned(source),
            reason=_cleaned(str(refusal).encode(errors="replace")),
            excerpt=_cleaned(message),
        )
        return False
    return True


def _cleaned(text: bytes) -> str:
    shown = text[:EXCERPT_BYTES].decode(errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in shown)
