"""What only a multiplexer does: exchanges side by side. That it keeps the promises of `send` the other modules show."""

import os
import socket
import threading
import time
from dataclasses import replace
from ipaddress import ip_address

import pytest

from connectors import multiplexer
from connectors.multiplexer import MOST, Multiplexer
from connectors.oauth2.errors import AddressRefused, ProviderUnavailable
from connectors.oauth2.http import Headers, HttpRequest
from connectors.transport import Outbound
from tests.connectors.client_pki import client
from tests.connectors.transport.exchanges import HERE, LOCAL, SECRET, to
from tests.connectors.transport.servers import answering, http, serving

LONG = 60  # seconds, for what normally takes milliseconds


def echo(peer):
    """Answer each request with its body."""
    while request := peer.request():
        peer.sock.sendall(http(request.partition(b"\r\n\r\n")[2]))


def taken(side_by_side):
    answers = []
    while side_by_side.under_way:
        answers += side_by_side.answers(LONG)
    return dict(answers)


def test_each_answer_comes_with_its_own_tag():
    side_by_side = Multiplexer(LOCAL)
    with serving(echo) as server:
        for number in range(200):
            side_by_side.give(number, to(server, body=f"body-{number}".encode()))
        answers = taken(side_by_side)

    assert {tag: answer.body for tag, answer in answers.items()} == {n: f"body-{n}".encode() for n in range(200)}


def test_slow_exchanges_go_on_side_by_side():
    together = threading.Barrier(MOST)

    def waits_for_the_others(peer):
        peer.request()
        together.wait(LONG)
        peer.sock.sendall(http())

    side_by_side = Multiplexer(LOCAL)
    with serving(waits_for_the_others) as server:
        for number in range(MOST):
            side_by_side.give(number, to(server))
        assert all(answer.status == 200 for answer in taken(side_by_side).values())


def test_there_is_room_for_so_many_and_anew_for_each_that_was_answered():
    side_by_side = Multiplexer(LOCAL)
    with serving(echo) as server:
        for number in range(10):
            side_by_side.give(number, to(server))
        assert side_by_side.room == MOST - 10
        taken(side_by_side)

    assert side_by_side.room == MOST


def test_waits_no_longer_than_it_is_told():
    side_by_side = Multiplexer(LOCAL)
    with serving(lambda peer: peer.stopped.wait()) as server:
        side_by_side.give("late", to(server))
        began = time.monotonic()
        while time.monotonic() - began < 0.3:
            assert side_by_side.answers(0.3) == []
        side_by_side.drop()

    assert time.monotonic() - began < 2


def test_one_that_fails_spoils_no_other():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    side_by_side = Multiplexer(LOCAL)
    with serving(echo) as server:
        side_by_side.give("refused", HttpRequest("POST", f"http://127.0.0.1:{port}/", body=b""))
        side_by_side.give("forbidden", HttpRequest("POST", "https://10.0.0.1/", body=b""))
        side_by_side.give("nonsense", HttpRequest("POST", "nonsense", body=b""))
        side_by_side.give("fine", to(server))
        answers = taken(side_by_side)

    assert isinstance(answers["refused"], ProviderUnavailable)
    assert isinstance(answers["forbidden"], AddressRefused)
    assert isinstance(answers["nonsense"], AddressRefused)
    assert answers["fine"].status == 200


def test_what_is_dropped_is_answered_to_nobody():
    side_by_side = Multiplexer(LOCAL)
    with serving(echo) as server:
        side_by_side.give("old", to(server))
        side_by_side.answers(0)
        side_by_side.drop()
        side_by_side.give("new", to(server))

        assert set(taken(side_by_side)) == {"new"}


def test_a_batch_that_breaks_off_leaves_nothing_to_the_next():
    def broken_off(server):
        with multiplexer.multiplexer(LOCAL) as side_by_side:
            side_by_side.give("old", to(server))
            raise KeyboardInterrupt

    with serving(echo) as server:
        with pytest.raises(KeyboardInterrupt):
            broken_off(server)
        with multiplexer.multiplexer(LOCAL) as side_by_side:
            assert side_by_side.under_way == 0
            side_by_side.give("new", to(server))
            assert set(taken(side_by_side)) == {"new"}


def test_a_thread_keeps_its_connections_from_batch_to_batch():
    with serving(echo) as server:
        for _ in range(3):
            with multiplexer.multiplexer(replace(LOCAL, timeout=6)) as side_by_side:
                side_by_side.give(None, to(server))
                taken(side_by_side)

    assert (server.connections, len(server.requests)) == (1, 3)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_has_a_multiplexer_of_its_own():
    with serving(echo) as server:
        with multiplexer.multiplexer(LOCAL) as side_by_side:
            side_by_side.give(None, to(server))
            taken(side_by_side)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with multiplexer.multiplexer(LOCAL) as own:
                    own.give("child", to(server))
                    status = 0 if own is not side_by_side and taken(own)["child"].status == 200 else 2
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        with multiplexer.multiplexer(LOCAL) as side_by_side:
            side_by_side.give("after", to(server))
            after = taken(side_by_side)["after"]

    assert (ended, after.status, server.connections) == (0, 200, 2)


def test_a_name_is_looked_up_once_for_all_who_wait_and_again_if_it_was_not_known():
    asked = []
    may_answer = threading.Event()

    def slow(host, port):
        asked.append(host)
        may_answer.wait(LONG)
        return HERE if len(asked) > 1 else []

    side_by_side = Multiplexer(LOCAL, resolve=slow)
    with serving(echo) as server:
        for number in range(5):
            side_by_side.give(number, to(server, host="api.example"))
        assert side_by_side.answers(0.05) == []
        may_answer.set()
        unknown = taken(side_by_side)
        for number in range(5):
            side_by_side.give(number, to(server, host="api.example"))
        known = taken(side_by_side)

    assert asked == ["api.example"] * 2
    assert all("No address is known" in str(error) for error in unknown.values())
    assert all(answer.status == 200 for answer in known.values())


def test_a_kept_connection_to_where_a_name_led_before_is_checked_too(monkeypatch):
    rules = replace(LOCAL, allowed=Outbound().allowed.parse(["127.0.0.1"]))
    side_by_side = Multiplexer(rules, resolve=lambda host, port: HERE)
    with serving(echo) as server:
        side_by_side.give(None, to(server, host="api.example"))
        taken(side_by_side)
        # What was allowed is allowed no more; the connection is still there.
        side_by_side.outbound = replace(rules, allowed=Outbound().allowed.parse(["127.0.0.2"]))
        monkeypatch.setattr(multiplexer, "KNOWN_FOR", -1.0)
        side_by_side._ways.clear()
        side_by_side._idle.clear()
        side_by_side._lookups._resolve = lambda host, port: [ip_address("127.0.0.2")]
        side_by_side.drop()
        side_by_side.give(None, to(server, host="api.example"))
        answer = taken(side_by_side)[None]

    assert isinstance(answer, AddressRefused | ProviderUnavailable)
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "POST"])
@pytest.mark.parametrize("body", [None, b"", b"a=b"])
def test_a_method_goes_out_with_just_what_it_was_given(method, body):
    request = HttpRequest(method, "http://127.0.0.1:{}/x?y=1", Headers((("X-Empty", ""), ("X-Full", "ä b"))), body)
    side_by_side = Multiplexer(LOCAL)
    with serving(answering()) as server:
        for _ in range(2):
            side_by_side.give(None, replace(request, url=request.url.format(server.port)))
            assert taken(side_by_side)[None].status == 200

    for sent in server.requests:
        head, _, came = sent.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        names = [line.partition(b":")[0].lower() for line in lines[1:]]
        assert lines[0] == f"{method} /x?y=1 HTTP/1.1".encode()
        has_length = body is not None or method != "GET"
        assert sorted(names) == sorted(
            [b"host", b"x-empty", b"x-full", b"accept-encoding", *([b"content-length"] if has_length else [])]
        )
        assert "X-Full: ä b".encode() in lines
        assert came == (body or b"")


def test_an_answer_to_head_has_no_body():
    side_by_side = Multiplexer(LOCAL)
    with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")) as server:
        side_by_side.give(None, to(server, method="HEAD", body=None))
        answer = taken(side_by_side)[None]

    assert (answer.status, answer.body) == (200, b"")


def test_fields_behind_a_body_are_none_of_the_answer():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Own: yes\r\n\r\n2\r\n{}\r\n0\r\nX-Behind: no\r\n\r\n"
    side_by_side = Multiplexer(LOCAL)
    with serving(answering(chunked)) as server:
        side_by_side.give(None, to(server))
        answer = taken(side_by_side)[None]

    assert (answer.headers.get("X-Own"), answer.headers.get("X-Behind")) == ("yes", "")


def test_a_request_with_a_certificate_is_not_taken():
    party = client()
    from_party = replace(HttpRequest("POST", "https://api.example/"), certificate=party)

    with pytest.raises(ValueError, match=r"transport\.send"):
        Multiplexer(LOCAL).give(None, from_party)


def test_nothing_of_a_request_is_shown_by_what_carries_it():
    side_by_side = Multiplexer(LOCAL)
    with serving(lambda peer: peer.stopped.wait()) as server:
        side_by_side.give(None, to(server))
        side_by_side.answers(0.05)
        shown = f"{side_by_side!r} {[*side_by_side._lines.values()]!r} {vars(side_by_side)!r}"
        side_by_side.drop()

    assert SECRET not in shown


def test_open_files_do_not_pile_up():
    def one_each(peer):
        peer.request()
        peer.sock.sendall(http(headers="Connection: close\r\n"))

    side_by_side = Multiplexer(LOCAL)
    with serving(one_each) as server:
        for _ in range(5):
            side_by_side.give(None, to(server))
        taken(side_by_side)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            side_by_side.give(None, to(server))
        taken(side_by_side)

    assert server.connections == 55
    assert len(os.listdir("/proc/self/fd")) <= before + 20
