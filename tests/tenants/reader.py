"""A process of its own that reads an instance's token in many threads at once, or renews what is due.

`python -m tests.tenants.reader read TENANT CONNECTOR THREADS` says ["ready"], waits for a line, and says what came of
it: {"tokens": {token: how often}, "errors": [...]}. `… renew` says {"renewed": how many}.
"""

import json
import sys
import threading
import time
from collections import Counter

import django

django.setup()

from django.db import connection  # noqa: E402

from tenants import schedule  # noqa: E402
from tenants.models import Instance  # noqa: E402

RENEWS_FOR = 1.5  # seconds


def say(what):
    print(json.dumps(what), flush=True)


def read(tenant, connector, threads):
    tokens = []  # not a Counter: adding to one from several threads loses some
    errors = []
    together = threading.Barrier(threads)

    def one():
        together.wait()
        try:
            token = Instance.objects.find(tenant, connector).credentials().access_token
        except Exception as error:  # whatever it is, the test is to see it
            errors.append(f"{type(error).__name__}: {error}")
        else:
            tokens.append(token)
        finally:
            connection.close()

    readers = [threading.Thread(target=one) for _ in range(threads)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    say({"tokens": Counter(tokens), "errors": errors})


def renew():
    renewed, until = 0, time.monotonic() + RENEWS_FOR
    while time.monotonic() < until:
        renewed += schedule.renew_chunk().renewed
        time.sleep(0.01)
    say({"renewed": renewed})


if __name__ == "__main__":
    Instance.objects.count()  # everything that a first use would load
    say(["ready"])
    sys.stdin.readline()
    if sys.argv[1] == "renew":
        renew()
    else:
        read(sys.argv[2], sys.argv[3], int(sys.argv[4]))
