from dataclasses import replace
from ipaddress import ip_address

import pytest

from connectors.addresses import AllowList
from connectors.oauth2.errors import AddressRefused, ProviderUnavailable, ValidationFailed
from connectors.oauth2.http import Headers, HttpRequest
from connectors.transport import Outbound, refuse_open_address
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


NETWORK = Outbound(AllowList.parse(["10.0.0.0/8", "named.example"]))


def _ten(host, port):
    return [ip_address("10.1.2.3")]


def _public(host, port):
    return [ip_address("93.184.216.34")]


@pytest.mark.parametrize(
    ("url", "resolve"),
    [
        ("https://93.184.216.34/v1", None),
        ("http://named.example/v1", None),
        ("http://10.0.0.5:8080", None),
        ("http://inside.example", _ten),
        ("http://not-looked-up.example", None),
    ],
)
def test_an_address_that_may_be_open_or_is_not_passes(url, resolve):
    refuse_open_address(url, outbound=NETWORK, resolve=resolve)


@pytest.mark.parametrize(
    ("url", "resolve"),
    [("http://93.184.216.34/v1", None), ("http://11.0.0.5", _ten), ("http://outside.example", _public)],
)
def test_an_open_address_beyond_the_list_is_refused_before_anything_is_sent(url, resolve):
    with pytest.raises(AddressRefused, match="https only"):
        refuse_open_address(url, outbound=NETWORK, resolve=resolve)


def test_an_open_address_whose_name_nobody_knows_is_not_taken_for_an_allowed_one():
    def unknown(host, port):
        raise OSError("no such name")

    with pytest.raises(ProviderUnavailable, match="could not be reached"):
        refuse_open_address("http://unknown.example", outbound=NETWORK, resolve=unknown)
