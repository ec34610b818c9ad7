import gzip
import socket
from dataclasses import replace

import pytest

from connectors import tls
from connectors.oauth2.errors import ProviderUnavailable, ResponseNotUnderstood
from connectors.oauth2.http import HttpRequest
from tests.connectors.transport.exchanges import LOCAL, assert_holds_no_secret, here, to
from tests.connectors.transport.servers import answering, http, serving

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9\r\n",
        b"<html>s3cr3t-value</html>\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz-s3cr3t-value\r\n",
        http(b"s3cr3t-value not gzip", headers="Content-Encoding: gzip\r\n"),
        http(gzip.compress(b"s3cr3t-value" * 50, mtime=0)[:-12], headers="Content-Encoding: gzip\r\n"),
        http(b"s3cr3t-value", headers="Content-Encoding: br\r\n"),
    ],
)
def test_says_when_an_answer_is_broken_without_quoting_it(send, answer, pool):
    with (
        serving(answering(answer, times=1)) as server,
        pytest.raises((ResponseNotUnderstood, ProviderUnavailable)) as broken,
    ):
        send(to(server), outbound=LOCAL, pool=pool)

    assert "127.0.0.1" in broken.value.what
    assert broken.value.why
    assert broken.value.remedy
    assert_holds_no_secret(broken.value)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 20", OK + b"Content-Length: 9\r\n\r\nabc", OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc"],
)
def test_an_answer_cut_short_is_no_answer(send, answer, pool):
    with (
        serving(answering(answer, times=1)) as server,
        pytest.raises((ProviderUnavailable, ResponseNotUnderstood)) as cut,
    ):
        send(to(server), outbound=LOCAL, pool=pool)

    assert server.connections == 1
    assert_holds_no_secret(cut.value)


def test_says_that_a_connection_was_refused(send, pool):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(ProviderUnavailable, match=rf"127\.0\.0\.1 could not be reached at port {port}.*refused"):
        send(HttpRequest("GET", f"http://127.0.0.1:{port}/"), outbound=LOCAL, pool=pool)


def test_says_that_a_name_is_not_known(send, pool):
    def nowhere(host, port):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(ProviderUnavailable, match=r"typo\.example.*No address is known"):
        send(HttpRequest("GET", "https://typo.example/"), outbound=LOCAL, resolve=nowhere, pool=pool)


def test_verifies_the_certificate_by_name_on_the_checked_address(send, authority, pool):
    rules = replace(LOCAL, ca_file=authority.file)
    with serving(answering(), context=authority.context("api.example")) as server:
        request = to(server, host="api.example", scheme="https")
        assert send(request, outbound=rules, resolve=here, pool=pool).status == 200


@pytest.mark.parametrize(
    ("names", "expired", "trusted", "says"),
    [
        (("other.example",), False, True, "certificate is for another name than api.example"),
        (("api.example",), True, True, "has expired"),
        (("api.example",), False, False, "signed by an authority that isn't trusted here.*OUTBOUND_CA_FILE"),
    ],
)
def test_refuses_a_wrong_certificate_and_sends_nothing(send, authority, pool, names, expired, trusted, says):
    rules = replace(LOCAL, ca_file=authority.file if trusted else "")
    with (
        serving(answering(), context=authority.context(*names, expired=expired)) as server,
        pytest.raises(ProviderUnavailable, match=says) as refused,
    ):
        send(to(server, host="api.example", scheme="https"), outbound=rules, resolve=here, pool=pool)

    assert server.requests == []
    assert_holds_no_secret(refused.value)


def test_says_when_a_server_speaks_no_tls(send, pool):
    with (
        serving(lambda peer: peer.sock.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as server,
        pytest.raises(ProviderUnavailable, match="TLS"),
    ):
        send(to(server, scheme="https"), outbound=LOCAL, pool=pool)


def test_makes_one_context_a_process(authority):
    assert tls.context(authority.file) is tls.context(authority.file)
    assert tls.context() is not tls.context(authority.file)
