import gzip
import threading
import time
import tracemalloc
import zlib
from dataclasses import replace

import pytest

from connectors import transport
from connectors.oauth2.errors import ProviderUnavailable, ResponseNotUnderstood
from connectors.oauth2.http import HttpRequest
from tests.connectors.transport.exchanges import HERE, LOCAL, assert_holds_no_secret, to
from tests.connectors.transport.servers import answering, http, serving


def drips(data, *, after=b"", pause=0.05):
    def script(peer):
        peer.request()
        peer.sock.sendall(after)
        peer.drip(data, pause)

    return script


def floods(data, *, after):
    def script(peer):
        peer.request()
        peer.sock.sendall(after)
        peer.flood(data)

    return script


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(drips(b"O", after=b"HTTP/1.1 200 "), id="status line"),
        pytest.param(drips(b"X-A: b\r\n", after=OK), id="headers"),
        pytest.param(drips(b"a", after=OK + b"Content-Length: 100000\r\n\r\n"), id="body"),
        pytest.param(drips(b"1\r\na\r\n", after=OK + b"Transfer-Encoding: chunked\r\n\r\n"), id="chunks"),
        pytest.param(drips(b"HTTP/1.1 100 Continue\r\n\r\n"), id="interim answers"),
        pytest.param(lambda peer: peer.stopped.wait(), id="silence"),
    ],
)
def test_keeps_the_deadline_with_a_server_that_trickles(send, script, pool):
    with serving(script) as server:
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable, match="did not answer in time") as late:
            send(to(server), deadline=0.4, outbound=LOCAL, pool=pool)
        took = time.monotonic() - began

    assert 0.4 <= took < 0.8
    assert_holds_no_secret(late.value)


def test_keeps_the_deadline_with_a_server_that_trickles_over_tls(send, authority, pool):
    rules = replace(LOCAL, ca_file=authority.file)
    script = drips(b"a", after=OK + b"Content-Length: 100000\r\n\r\n")
    with serving(script, context=authority.context("127.0.0.1")) as server:
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable, match="in time"):
            send(to(server, scheme="https"), deadline=0.5, outbound=rules, pool=pool)

    assert time.monotonic() - began < 1.5


def test_keeps_the_deadline_with_a_server_that_does_not_finish_the_handshake(send, pool):
    with serving(lambda peer: peer.drip(b"\x16", 0.05)) as server:
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable):
            send(to(server, scheme="https"), deadline=0.4, outbound=LOCAL, pool=pool)

    assert time.monotonic() - began < 0.8


def test_keeps_the_deadline_with_a_server_that_does_not_read(send, pool):
    with serving(lambda peer: peer.stopped.wait()) as server:
        began = time.monotonic()
        with pytest.raises(ProviderUnavailable, match="in time"):
            send(to(server, body=b"x" * 50_000_000), deadline=0.5, outbound=LOCAL, pool=pool)
        took = time.monotonic() - began

    assert took < 1.5


def test_keeps_the_deadline_with_a_name_server_that_hangs(send, pool):
    hang = threading.Event()

    def hanging(host, port):
        hang.wait(10)
        return HERE

    began = time.monotonic()
    with pytest.raises(ProviderUnavailable, match=r"slow\.example.*in time"):
        send(HttpRequest("GET", "https://slow.example/"), deadline=0.3, outbound=LOCAL, resolve=hanging, pool=pool)

    assert time.monotonic() - began < 0.7
    hang.set()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(floods(b"a" * 65536, after=OK + b"\r\n"), id="endless body"),
        pytest.param(floods(b"a" * 65536, after=OK + b"Content-Length: 99999999999\r\n\r\n"), id="announced body"),
        pytest.param(floods(b"1\r\na\r\n" * 999, after=OK + b"Transfer-Encoding: chunked\r\n\r\n"), id="tiny chunks"),
        pytest.param(floods(b"X: " + b"b" * 900 + b"\r\n", after=OK), id="headers"),
        pytest.param(floods(b"b" * 65536, after=OK + b"X: "), id="one header"),
        pytest.param(floods(b"HTTP/1.1 100 Continue\r\n\r\n" * 99, after=b""), id="100 for ever"),
        pytest.param(floods(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 99, after=b""), id="103 for ever"),
    ],
)
def test_stops_reading_an_answer_that_is_too_large(send, script, pool):
    with serving(script) as server, pytest.raises(ResponseNotUnderstood, match=r"too l(arge|ong)") as large:
        send(to(server), deadline=60, outbound=LOCAL, pool=pool)

    assert "127.0.0.1" in large.value.what
    assert_holds_no_secret(large.value)


def test_stops_unpacking_a_body_of_countless_members(send, pool):
    body = gzip.compress(b"") * 10_000
    script = answering(http(body, headers="Content-Encoding: gzip\r\n"))
    with serving(script) as server, pytest.raises(ResponseNotUnderstood, match="damaged"):
        send(to(server), outbound=LOCAL, pool=pool)


EXTENSIONS = floods(b"1;" + b"x" * 60000 + b"\r\na\r\n", after=OK + b"Transfer-Encoding: chunked\r\n\r\n")


def test_stops_reading_an_answer_that_says_little_with_much(pool):
    with serving(EXTENSIONS) as server, pytest.raises(ResponseNotUnderstood, match="too large"):
        transport.send(to(server), deadline=60, outbound=LOCAL, pool=pool)


def test_an_answer_that_says_little_with_much_ends_at_the_deadline_at_the_latest(send, pool):
    with serving(EXTENSIONS) as server, pytest.raises((ProviderUnavailable, ResponseNotUnderstood)):
        send(to(server), deadline=0.5, outbound=LOCAL, pool=pool)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_stops_unpacking_a_bomb_before_it_fills_the_memory(send, pool, coding):
    body = gzip.compress(bytes(100_000_000), 9) if coding == "gzip" else zlib.compress(bytes(100_000_000), 9)
    with serving(answering(http(body, headers=f"Content-Encoding: {coding}\r\n"))) as server:
        tracemalloc.start()
        with pytest.raises(ResponseNotUnderstood, match="too large once unpacked"):
            send(to(server), outbound=LOCAL, pool=pool)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 10_000_000


def test_what_earlier_requests_of_an_exchange_took_is_gone(send, pool):
    with serving(answering()) as server, pytest.raises(ProviderUnavailable, match="did not answer in time") as refused:
        send(replace(to(server), spent=LOCAL.timeout), outbound=LOCAL, pool=pool)

    assert f"{LOCAL.timeout:g} seconds" in refused.value.why
    assert server.requests == []
