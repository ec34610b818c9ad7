"""Runs a module with a clock that is wrong: `python -m tests.faults.skewed SECONDS MODULE ARGUMENTS…`."""

import runpy
import sys
import time
from datetime import datetime, timedelta
from importlib import import_module

SKEW = float(sys.argv[1])
# Where Celery and Django ask what time it is; whatever else does asks `time.time`.
MODULES = ("celery.worker.request", "celery.utils.time", "celery.app.base", "celery.app.amqp", "django.utils.timezone")


class _OfRealOnes(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, datetime)


class Shifted(datetime, metaclass=_OfRealOnes):
    """Its instances are ordinary datetimes; only what they are asked of the present is wrong."""

    def __new__(cls, *args, **kwargs):
        return datetime(*args, **kwargs)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=SKEW)


def shift():
    real = time.time
    time.time = lambda: real() + SKEW
    for name in MODULES:
        module = import_module(name)
        if getattr(module, "datetime", None) is datetime:
            module.datetime = Shifted


if __name__ == "__main__":
    shift()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
