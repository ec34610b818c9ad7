import os
import time
from dataclasses import replace
from ipaddress import ip_address

import pytest
import requests

from connectors.addresses import AllowList
from connectors.guarded_requests import guarded_session
from connectors.oauth2.errors import AddressRefused
from tests.connectors.transport.exchanges import HERE, LOCAL, here
from tests.connectors.transport.servers import answering, http, serving


def test_reaches_allowed_hosts_and_keeps_the_connection():
    with serving(answering(http(b'{"a": 1}'))) as server, guarded_session(outbound=LOCAL) as session:
        for _ in range(3):
            assert session.get(f"http://127.0.0.1:{server.port}/users").json() == {"a": 1}

    assert server.connections == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_refuses_private_addresses(scheme):
    with (
        serving(answering()) as server,
        guarded_session(outbound=replace(LOCAL, allowed=AllowList())) as session,
        pytest.raises(AddressRefused),
    ):
        session.get(f"{scheme}://127.0.0.1:{server.port}/")

    assert server.connections == 0


def test_checks_where_a_redirect_leads():
    rules = replace(LOCAL, allowed=AllowList.parse(["127.0.0.1"]))
    answer = http(status="302 Found", headers="Location: http://127.0.0.2/secret\r\n")
    with (
        serving(answering(answer)) as server,
        guarded_session(outbound=rules) as session,
        pytest.raises(AddressRefused, match=r"127\.0\.0\.2"),
    ):
        session.get(f"http://127.0.0.1:{server.port}/")


def test_connects_to_the_address_that_was_checked():
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return HERE if len(asked) == 1 else [ip_address("127.0.0.2")]

    rules = replace(LOCAL, allowed=AllowList.parse(["127.0.0.1"]))
    with serving(answering()) as server, guarded_session(outbound=rules, resolve=rebinding) as session:
        assert session.get(f"http://rebind.example:{server.port}/").status_code == 200

    assert asked == ["rebind.example"]


def test_takes_nothing_from_the_environment(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login joe password netrc-word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(answering()) as proxy, serving(answering()) as server, guarded_session(outbound=LOCAL) as session:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        session.get(f"http://127.0.0.1:{server.port}/")
        session.get(f"http://127.0.0.1:{server.port}/", proxies={"http": f"http://127.0.0.1:{proxy.port}"})

    assert proxy.connections == 0
    assert len(server.requests) == 2
    assert b"Authorization" not in server.requests[0]


def test_verifies_certificates_by_name_even_if_told_not_to(authority):
    rules = replace(LOCAL, ca_file=authority.file)
    with serving(answering(), context=authority.context("api.example")) as server:
        with guarded_session(outbound=rules, resolve=here) as session:
            assert session.get(f"https://api.example:{server.port}/").status_code == 200
            with pytest.raises(requests.exceptions.SSLError):
                session.get(f"https://other.example:{server.port}/", verify=False)
        with guarded_session(outbound=LOCAL, resolve=here) as session, pytest.raises(requests.exceptions.SSLError):
            session.get(f"https://api.example:{server.port}/", verify=False)

    assert len(server.requests) == 1


def test_times_out_without_being_told_to():
    with (
        serving(lambda peer: peer.stopped.wait()) as server,
        guarded_session(outbound=replace(LOCAL, timeout=0.2)) as session,
        pytest.raises(requests.exceptions.ReadTimeout),
    ):
        session.get(f"http://127.0.0.1:{server.port}/")


def test_a_name_that_hangs_is_a_connect_timeout():
    def slow(host, port):
        time.sleep(0.6)
        return HERE

    with (
        guarded_session(outbound=replace(LOCAL, timeout=0.2), resolve=slow) as session,
        pytest.raises(requests.exceptions.ConnectTimeout),
    ):
        session.get("https://slow.example/")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_uses_no_socket_of_its_parent():
    with serving(answering()) as server, guarded_session(outbound=LOCAL) as session:
        url = f"http://127.0.0.1:{server.port}/"
        session.get(url)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if session.get(url).ok else 2
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        session.get(url)

    assert ended == 0
    assert server.connections == 2
