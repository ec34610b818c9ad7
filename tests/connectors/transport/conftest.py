import os
import threading

import pytest

from connectors import transport
from connectors.multiplexer import Multiplexer
from connectors.oauth2.errors import LatchkeyError
from connectors.pool import Pool
from connectors.transport import Outbound
from tests.connectors.transport.servers import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def pool():
    made = Pool()
    yield made
    made.clear()


class SideBySide:
    """`transport.send`, by multiplexers: one for each thread and set of rules."""

    def __init__(self):
        self._made = {}

    def __call__(self, request, *, deadline=None, outbound=None, resolve=transport.resolve, pool=None):
        outbound = outbound or Outbound.from_settings()
        key = (os.getpid(), threading.get_ident(), outbound, resolve)
        if key not in self._made:
            self._made[key] = Multiplexer(outbound, resolve=resolve)
        one = self._made[key]
        one.give("mine", request, deadline=deadline)
        answers = []
        while one.under_way:
            answers += one.answers(60)
        ((tag, answer),) = answers
        assert tag == "mine"
        if isinstance(answer, LatchkeyError):
            raise answer
        return answer


@pytest.fixture(params=["one at a time", "side by side"])
def send(request):
    """Both carriers of requests keep the same promises."""
    return transport.send if request.param == "one at a time" else SideBySide()
