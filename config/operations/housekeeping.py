"""What every long-lived process does every few seconds: say that it lives, and add its counts to everybody's."""

import atexit
import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import Error, connection, transaction

from config.operations.counts import Counts, counts
from config.operations.models import Heartbeat, Sample
from tenants import database_time

logger = logging.getLogger(__name__)

EVERY = 5.0  # seconds
FORGOTTEN_AFTER = timedelta(hours=1)


def keep_counts(mine: Counts = counts) -> None:
    """Add this process's counts to the installation's. What can't be written now is kept for the next time."""
    taken = mine.take()
    if not taken:
        return
    # In one order, so that two processes never wait for each other's rows.
    rows = sorted((json.dumps([name, *labels]), value) for (name, labels), value in taken.items())
    table = connection.ops.quote_name(Sample._meta.db_table)
    statement = (
        f"INSERT INTO {table} (series, value) VALUES (%s, %s) "  # noqa: S608 (the name is ours)
        f"ON CONFLICT (series) DO UPDATE SET value = {table}.value + excluded.value"
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, rows)
    except Error:
        mine.put_back(taken)
        raise


def forget_the_dead() -> None:
    """Delete the signs of life of processes that ended without a word."""
    dead = Heartbeat.objects.filter(part=Heartbeat.Part.WORKER, at__lt=database_time.now() - FORGOTTEN_AFTER)
    dead.delete()


class Housekeeper:
    """A thread that does its rounds until it is stopped. Trouble with the database waits for the next round."""

    def __init__(self, *rounds: Callable[[], object], every: float = EVERY) -> None:
        self._rounds = rounds
        self._every = every
        self._stopped = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="housekeeping", daemon=True).start()
        atexit.register(self.stop)

    def stop(self, *last: Callable[[], object]) -> None:
        """Go round once more, then do what is `last`. Stopping twice does nothing."""
        if not self._stopped.is_set():
            self._stopped.set()
            self._go(*self._rounds, *last)

    def _run(self) -> None:
        self._go(*self._rounds)
        while not self._stopped.wait(self._every):
            self._go(*self._rounds)

    def _go(self, *acts: Callable[[], object]) -> None:
        try:
            for act in acts:
                act()
        except Exception as error:
            logger.warning("Signs of life and counts could not be written: %s.", type(error).__name__)
        finally:
            # Not kept for the next round: one that broke is never used again, and a worker's forks inherit none.
            connection.close()
