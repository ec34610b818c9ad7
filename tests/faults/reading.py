"""Reads tokens for ever: `python -m tests.faults.reading FILE ID…` appends what it gets, a line of JSON each."""

import json
import random
import sys
import time

import django

django.setup()

from django.db import DatabaseError, close_old_connections  # noqa: E402

from tenants.errors import LatchkeyError  # noqa: E402
from tenants.models import Instance  # noqa: E402

EVERY = 0.05  # seconds


def read(pk):
    try:
        credentials = Instance.objects.for_reading().get(pk=pk).credentials()
    except LatchkeyError as error:
        return {"error": error.code}
    except DatabaseError as error:
        return {"error": type(error).__name__}
    return {"token": credentials.access_token}


if __name__ == "__main__":
    with open(sys.argv[1], "a") as file:
        while True:
            close_old_connections()  # as Django does between requests
            asked = time.monotonic()
            print(json.dumps({**read(random.choice(sys.argv[2:])), "asked": asked}), file=file, flush=True)  # noqa: S311
            time.sleep(EVERY)
