import gzip
import zlib

import pytest

from connectors.oauth2.http import HttpRequest
from tests.connectors.transport.exchanges import LOCAL, SECRET, to
from tests.connectors.transport.servers import answering, http, serving


def test_carries_a_request_and_its_answer(send, pool):
    with serving(answering(http(b'{"a": 1}', status="400 Bad", headers="X-Two: a\r\nx-two: b\r\n"))) as server:
        answer = send(to(server), outbound=LOCAL, pool=pool)

    assert (answer.status, answer.body, list(answer.headers.all("X-Two"))) == (400, b'{"a": 1}', ["a", "b"])
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST /token?key={SECRET} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode())
    assert b"Content-Length: 19" in head
    assert body == b"secret=" + SECRET.encode()


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_nothing_of_one_request_is_in_the_next(send, pool, method):
    with serving(answering(http(b""))) as server:
        send(to(server), outbound=LOCAL, pool=pool)
        send(HttpRequest(method, f"http://127.0.0.1:{server.port}/next"), outbound=LOCAL, pool=pool)

    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    assert head.startswith(f"{method} /next HTTP/1.1\r\n".encode())
    assert body == b""
    assert SECRET.encode() not in head
    assert b"content-type" not in head.lower()
    assert (b"Content-Length: 0" in head) is (method == "POST")


def test_settings_are_the_default(send, settings, pool):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.OUTBOUND_TIMEOUT = 5
    settings.OUTBOUND_CA_FILE = ""

    with serving(answering()) as server:
        assert send(to(server), pool=pool).status == 200


def test_does_not_follow_redirects(send, pool):
    with serving(answering()) as other:
        answer = http(status="302 Found", headers=f"Location: http://127.0.0.1:{other.port}/\r\n")
        with serving(answering(answer)) as server:
            found = send(to(server), outbound=LOCAL, pool=pool)

    assert found.status == 302
    assert other.connections == 0


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_ignores_proxies_from_the_environment(send, monkeypatch, pool, name):
    with serving(answering()) as proxy, serving(answering()) as server:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        send(to(server), outbound=LOCAL, pool=pool)

    assert (proxy.connections, server.connections) == (0, 1)


def test_ignores_netrc(send, monkeypatch, tmp_path, pool):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login joe password netrc-word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    with serving(answering()) as server:
        send(HttpRequest("GET", f"http://127.0.0.1:{server.port}/"), outbound=LOCAL, pool=pool)

    assert b"uthorization" not in server.requests[0]


def deflated_without_a_header(data):
    # What "deflate" isn't by RFC 9110 section 8.4.1.2, but some servers send, and everybody reads.
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        pytest.param("gzip", gzip.compress(b'{"a": 1}'), id="gzip"),
        pytest.param("gzip", gzip.compress(b'{"a"') + gzip.compress(b": 1}"), id="gzip in two members"),
        pytest.param("gzip", gzip.compress(b'{"a": 1}') + bytes(9), id="gzip, padded"),
        pytest.param("gzip", gzip.compress(b'{"a": 1}') + b"garbage", id="gzip, and something else"),
        pytest.param("deflate", zlib.compress(b'{"a": 1}'), id="deflate"),
        pytest.param("deflate", deflated_without_a_header(b'{"a": 1}'), id="deflate without a header"),
    ],
)
def test_unpacks_an_answer_that_is_compressed_unasked(send, pool, coding, body):
    with serving(answering(http(body, headers=f"Content-Encoding: {coding}\r\n"))) as server:
        answer = send(to(server), outbound=LOCAL, pool=pool)

    assert answer.body == b'{"a": 1}'
    assert b"Accept-Encoding: identity" in server.requests[0]


def test_sends_no_field_that_the_request_does_not_have_but_what_http_needs(send, pool):
    with serving(answering()) as server:
        send(HttpRequest("GET", f"http://127.0.0.1:{server.port}/"), outbound=LOCAL, pool=pool)

    fields = server.requests[0].split(b"\r\n")[1:-2]
    assert [field.partition(b":")[0] for field in fields] == [b"Host", b"Accept-Encoding"]


def test_reads_past_interim_answers(send, pool):
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    with serving(answering(interim + http(b"done"))) as server:
        first = send(to(server), outbound=LOCAL, pool=pool)
        second = send(to(server), outbound=LOCAL, pool=pool)

    assert (first.body, second.body, server.connections) == (b"done", b"done", 1)


def test_reads_chunked_and_close_delimited_bodies(send, pool):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    with serving(answering(chunked)) as server:
        assert send(to(server), outbound=LOCAL, pool=pool).body == b"abcde"
    with serving(answering(b"HTTP/1.0 200 OK\r\n\r\nabcde", times=1)) as server:
        assert send(to(server), outbound=LOCAL, pool=pool).body == b"abcde"
