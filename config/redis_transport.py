"""Redis as the broker, for workers that outlive losing it."""

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as LostConnectionError


class Channel(redis.Channel):
    """A channel that says so when its connection is closed.

    A worker that loses the broker closes the connection, hands back what it had not finished, and acknowledges what
    it finishes later, all of it to channels of the closed connection. kombu's fail with an AttributeError then, which
    nobody expects, and the worker ends.
    """

    _pool: Any  # kombu's, and none once the connection is closed

    @property
    def pool(self) -> Any:
        if self._pool is None and self.connection.client is None:
            raise LostConnectionError("The connection to the broker was closed.")
        return super().pool


class Transport(redis.Transport):
    Channel = Channel
