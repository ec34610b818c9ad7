"""How processes stay with a broker that goes away; whole processes that lose theirs are in `tests/faults`."""

import kombu.utils.functional
import pytest
from kombu import Consumer, Queue

from config.celery import app
from tests.services.process import CannotStart, free_port
from tests.services.redis import stopped_redis

ADDRESSES = ["redis://127.0.0.1:{}/0", "rediss://127.0.0.1:{}/0", "redis+socket:///nowhere/{}"]


class Enough(Exception):
    pass


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_looked_for_every_few_seconds_for_as_long_as_it_takes(address, monkeypatch):
    slept, announced = [], []
    monkeypatch.setattr(kombu.utils.functional, "sleep", slept.append)

    def told(error, pause):
        announced.append(pause)
        if len(announced) == 150:
            raise Enough

    with app.connection_for_read(address.format(free_port())) as connection, pytest.raises(Enough):
        connection.ensure_connection(told, app.conf.broker_connection_max_retries)

    assert announced[:2] == [2, 4]
    assert set(announced[2:]) == {5}
    assert sum(slept) == sum(announced[:-1])


@pytest.mark.parametrize("address", [*ADDRESSES, "filesystem://localhost/"])
def test_messages_are_sent_by_the_transports_that_they_are_received_by(address):
    with app.connection_for_write(address.format(free_port())) as connection:
        pool = connection.Pool(limit=1)

        with pool.acquire() as pooled:
            assert pooled.get_transport_cls() is connection.get_transport_cls()
            assert pooled.get_transport_cls().__module__.startswith("config.")

        pool.force_close_all()


@pytest.fixture
def redis():
    """The address of a Redis that doesn't run yet, and what runs it."""
    try:
        with stopped_redis() as started:
            yield started
    except CannotStart as error:
        pytest.skip(f"{error}. docs/development.md says what helps.")


def test_what_is_acknowledged_after_its_connection_was_lost_fails_as_lost_connections_do(redis):
    """Such errors Celery logs; of any other the worker ends."""
    url, run = redis
    connection, messages = app.connection_for_read(url), []
    with run():
        connection.SimpleQueue("tasks").put("a task")
        for queue, channel in (("tasks", connection.default_channel), ("orders", connection.channel())):
            Consumer(channel, [Queue(queue)], on_message=messages.append).consume()
        connection.drain_events(timeout=5)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.2)  # both wait for messages when it breaks

    connection.collect()  # as a worker does
    connection.close()

    (message,) = messages
    with pytest.raises(connection.connection_errors):
        message.ack()
