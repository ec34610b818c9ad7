from dataclasses import replace
from ipaddress import ip_address

import pytest

from connectors.addresses import AllowList
from connectors.oauth2.errors import AddressRefused, ValidationFailed
from connectors.oauth2.http import Headers, HttpRequest
from connectors.transport import Outbound
from tests.connectors.transport.exchanges import HERE, LOCAL, SECRET, assert_holds_no_secret, to
from tests.connectors.transport.servers import answering, serving


def test_refuses_a_private_address_and_opens_no_connection(send, pool):
    with serving(answering()) as server:
        with pytest.raises(AddressRefused) as refused:
            send(to(server, scheme="https"), outbound=Outbound(), pool=pool)
        assert server.connections == 0

    assert_holds_no_secret(refused.value)


@pytest.mark.parametrize("allowed", [[], ["other.example"], ["plain.example:8080"]])
def test_refuses_http_without_a_look_up_where_none_could_allow_it(send, pool, allowed):
    looked_up = []

    def resolve(host, port):
        looked_up.append(host)
        raise OSError("no such name")

    rules = Outbound(AllowList.parse(allowed))
    with pytest.raises(AddressRefused, match="https only"):
        send(HttpRequest("POST", "http://plain.example/token"), outbound=rules, resolve=resolve, pool=pool)

    assert looked_up == []


def test_asks_for_the_address_once_and_connects_to_what_it_checked(send, pool):
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return HERE if len(asked) == 1 else [ip_address("127.0.0.2")]

    rules = replace(LOCAL, allowed=AllowList.parse(["127.0.0.1"]))
    with serving(answering()) as server:
        answer = send(to(server, host="rebind.example"), outbound=rules, resolve=rebinding, pool=pool)

    assert answer.status == 200
    assert asked == ["rebind.example"]
    assert f"Host: rebind.example:{server.port}".encode() in server.requests[0]


def test_passes_over_the_refused_ones_of_several_addresses(send, pool):
    def several(host, port):
        return [ip_address("127.0.0.9"), ip_address("127.0.0.1")]

    rules = replace(LOCAL, allowed=AllowList.parse(["127.0.0.1"]))
    with serving(answering()) as server:
        assert send(to(server, host="x.example"), outbound=rules, resolve=several, pool=pool).status == 200


def test_tries_the_next_address_when_one_refuses(send, pool):
    def several(host, port):
        return [ip_address("127.0.0.9"), ip_address("127.0.0.1")]

    with serving(answering()) as server:
        assert send(to(server, host="x.example"), outbound=LOCAL, resolve=several, pool=pool).status == 200


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://127.0.0.1/", "file:///etc/passwd", "//127.0.0.1/", "", "https://", "https:///x", "https://[::1/"),
        *(
            "https://127.0.0.1:99999/",
            "https://127.0.0.1:x/",
            "https://127.0.0.1:0/",
            "https://127.0.0.1\\@example.com/",
        ),
        *(
            "https://user:s3cr3t-value@127.0.0.1/",
            "https://@127.0.0.1/",
            "https://127.0.0.1/a b",
            "https://127.0.\n0.1/",
        ),
        *("https://0x7f.1/", "https://2130706433/", "https://[fe80::1%25lo]/", "https://%31%32%37.0.0.1/"),
    ],
)
def test_refuses_addresses_that_are_none_or_have_two_readings(send, url, pool):
    with pytest.raises(AddressRefused) as refused:
        send(HttpRequest("GET", url), outbound=LOCAL, pool=pool)

    assert_holds_no_secret(refused.value)


@pytest.mark.parametrize(
    "headers", [(("X-A", "a\r\nX-B: s3cr3t-value"),), (("X A", SECRET),), (("X-A", "s3cr3t-value\0"),)]
)
def test_refuses_to_smuggle_headers(send, headers, pool):
    with serving(answering()) as server, pytest.raises(ValidationFailed) as refused:
        send(HttpRequest("GET", f"http://127.0.0.1:{server.port}/", Headers(headers)), outbound=LOCAL, pool=pool)

    assert server.requests == []
    assert_holds_no_secret(refused.value)


def test_frames_the_body_itself_whatever_the_headers_say(send, pool):
    headers = Headers((("Content-Length", "3"), ("Transfer-Encoding", "chunked")))
    with serving(answering()) as server:
        send(HttpRequest("POST", f"http://127.0.0.1:{server.port}/", headers, b"abcdef"), outbound=LOCAL, pool=pool)

    assert server.requests[0].lower().count(b"content-length") == 1
    assert b"chunked" not in server.requests[0]
