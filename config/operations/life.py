"""Signs of life of the scheduler and the workers, noted as Celery tells of them.

They are written by a thread of their own: a database that hangs must not keep the scheduler from sending ticks.
"""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from celery.signals import (
    after_task_publish,
    beat_init,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
)

from config.log_context import context
from config.operations.housekeeping import Housekeeper, forget_the_dead, keep_counts
from config.operations.models import Heartbeat
from tenants import database_time

TICK = "tenants.tasks.renew_due"

_process = uuid4().hex
_noted: dict[str, float] = {}  # when (by the steady clock) a part was last heard of, where that is not written yet


def note(part: str) -> None:
    _noted[part] = time.monotonic()


def write_noted() -> None:
    """Write what was noted since the last time."""
    for part in list(_noted):
        # One dictionary operation each: no lock is needed between noting and writing.
        ago = timedelta(seconds=time.monotonic() - _noted.pop(part))
        Heartbeat.objects.beat(part, now=database_time.now() - ago)


def say_alive() -> None:
    Heartbeat.objects.beat(Heartbeat.Part.WORKER, process=_process)


_of_worker = Housekeeper(say_alive, write_noted, keep_counts, forget_the_dead)
_of_beat = Housekeeper(write_noted)
_of_child: list[Housekeeper] = []


@worker_ready.connect
def begin(**_: Any) -> None:
    _of_worker.start()


@worker_shutdown.connect
def end(**_: Any) -> None:
    """Who ends in order isn't missed."""
    _of_worker.stop(lambda: Heartbeat.objects.filter(process=_process).delete())


@worker_process_init.connect
def begin_child(**_: Any) -> None:
    """A process of a prefork pool has its own notes and counts."""
    _of_child.append(Housekeeper(write_noted, keep_counts))
    _of_child[-1].start()


@worker_process_shutdown.connect
def end_child(**_: Any) -> None:
    for housekeeper in _of_child:
        housekeeper.stop()


@beat_init.connect
def begin_beat(**_: Any) -> None:
    _of_beat.start()


@after_task_publish.connect(sender=TICK)
def note_sent(**_: Any) -> None:
    note(Heartbeat.Part.BEAT)


@task_prerun.connect
def note_taken(sender: Any, task_id: str, **_: Any) -> None:
    context.set({"task": sender.name, "task_id": task_id})
    if sender.name == TICK:
        note(Heartbeat.Part.TICK)


@task_postrun.connect
def forget_task(**_: Any) -> None:
    context.set({})
