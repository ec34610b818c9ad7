"""The Celery application: `celery -A config.celery worker`, `celery -A config.celery beat`."""

import gc
import os
import sys
import warnings
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_ready,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections

from config import folders, keys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# It warns that root would run what is pickled into a message. Only JSON is read here.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Celery("latchkey", amqp="config.broker:Broker")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["config.operations"], related_name="life")


@setup_logging.connect
def leave_logging_alone(**_: Any) -> None:
    """With a receiver here Celery sets up no logging of its own; Django's, without secrets, stands."""


@celeryd_init.connect
@beat_init.connect
def start_whole(**_: Any) -> None:
    try:
        keys.require()
    except ImproperlyConfigured as error:
        # Celery swallows and logs whatever else its signals' receivers raise, and would start all the same.
        sys.exit(f"Latchkey can't start.\n{error}")
    folders.make_all()


@task_prerun.connect
@task_postrun.connect
def leave_broken_connections(sender: Any, **_: Any) -> None:
    """As between requests: a thread gives up a connection to the database that broke or is too old.

    Celery itself looks at them once in `DB_REUSE_MAX` tasks: until then a worker would fail at every task after the
    database was restarted.
    """
    if not sender.request.is_eager:  # then it is the caller's connection, perhaps in the middle of a transaction
        close_old_connections()


@worker_ready.connect
@worker_process_init.connect
def keep_what_is_loaded(**_: Any) -> None:
    """What a worker has loaded stays: searching it for garbage over and over took a tenth of each renewal's time."""
    gc.collect()
    gc.freeze()
