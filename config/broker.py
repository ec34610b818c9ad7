"""A broker that goes away for a second or a night: every process finds it again, and none dies of it."""

from typing import Any

import kombu.connection
from celery.app.amqp import AMQP
from kombu.transport import get_transport_cls

RETRY_MOST = 5  # seconds between two attempts, at most: pauses grow from two, by two
REDIS = "config.redis_transport:Transport"
TRANSPORTS = {"redis": REDIS, "rediss": REDIS, "filesystem": "config.file_transport:Transport"}


class Connection(kombu.Connection):
    """One that is looked for every few seconds, where kombu's pauses grow to half a minute."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> "Connection":
        super().ensure_connection(*args, **{"interval_max": RETRY_MOST, **kwargs})
        return self

    def get_transport_cls(self) -> Any:
        return get_transport_cls(TRANSPORTS.get(self.transport_cls, self.transport_cls))

    def Pool(self, limit: int | None = None, **kwargs: Any) -> "Pool":
        return Pool(self, limit, **kwargs)


class PooledConnection(Connection, kombu.connection.PooledConnection):
    """One through which messages are sent."""


class Pool(kombu.connection.ConnectionPool):
    """Of connections such as these; kombu's would hold its own."""

    def new(self) -> PooledConnection:
        return PooledConnection(self, **dict(self.connection._info(resolve=False)))  # type: ignore[arg-type]  # its stub lacks the pool


class Broker(AMQP):
    """What the Celery application makes its connections of."""

    Connection = Connection
    BrokerConnection = Connection
