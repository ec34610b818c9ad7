import os
import threading
import time
from dataclasses import replace

import pytest

from connectors import transport
from connectors.addresses import AllowList
from connectors.oauth2.errors import AddressRefused, ProviderUnavailable
from connectors.pool import Pool
from tests.connectors.transport.exchanges import LOCAL, to
from tests.connectors.transport.servers import answering, http, serving


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_keeps_the_connection_for_the_next_request(send, authority, pool, scheme):
    rules = replace(LOCAL, ca_file=authority.file)
    context = authority.context("127.0.0.1") if scheme == "https" else None
    with serving(answering(), context=context) as server:
        for _ in range(5):
            send(to(server, scheme=scheme), outbound=rules, pool=pool)

    assert (server.connections, len(server.requests)) == (1, 5)


def test_a_connection_allowed_under_other_rules_is_not_used(send, pool):
    with serving(answering()) as server:
        send(to(server), outbound=LOCAL, pool=pool)
        with pytest.raises(AddressRefused):
            send(to(server), outbound=replace(LOCAL, allowed=AllowList()), pool=pool)

    assert len(server.requests) == 1


def test_threads_never_share_a_connection_at_one_time(send, pool):
    def script(peer):
        while request := peer.request():
            time.sleep(0.002)
            peer.sock.sendall(http(request.partition(b"\r\n\r\n")[2]))

    wrong = []

    def ask(number):
        for count in range(20):
            body = f"{number}-{count}".encode()
            if send(to(server, body=body), outbound=LOCAL, pool=pool).body != body:
                wrong.append(body)

    with serving(script) as server:
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []
    assert server.connections <= 8
    assert len(server.requests) == 160


def test_notices_a_closed_connection_before_it_sends(send, pool):
    with serving(answering(times=1)) as server:
        for _ in range(3):
            assert send(to(server), outbound=LOCAL, pool=pool).status == 200
            time.sleep(0.05)

    assert (server.connections, len(server.requests)) == (3, 3)


def closes_on_the_second(peer):
    """A server that closes a kept connection just as the next request reaches it."""
    peer.request()
    peer.sock.sendall(http())
    if peer.number == 1:
        peer.request()
        return
    while peer.request():
        peer.sock.sendall(http())


def test_never_sends_a_post_twice(send, pool):
    with serving(closes_on_the_second) as server:
        send(to(server), outbound=LOCAL, pool=pool)
        with pytest.raises(ProviderUnavailable, match="whether it acted on the request isn't known"):
            send(to(server), outbound=LOCAL, pool=pool)

    assert (server.connections, len(server.requests)) == (1, 2)


def test_sends_a_get_again_on_a_fresh_connection(send, pool):
    with serving(closes_on_the_second) as server:
        send(to(server, method="GET"), outbound=LOCAL, pool=pool)
        assert send(to(server, method="GET"), outbound=LOCAL, pool=pool).status == 200

    assert (server.connections, len(server.requests)) == (2, 3)


def test_does_not_reuse_a_connection_with_bytes_left_over(send, pool):
    with serving(answering(http(b"mine") + http(b"planted"))) as server:
        answers = [send(to(server), outbound=LOCAL, pool=pool).body for _ in range(3)]

    assert answers == [b"mine"] * 3
    assert server.connections == 3


def test_an_old_connection_is_replaced():
    now = 1000.0
    pool = Pool(clock=lambda: now)
    with serving(answering()) as server:
        transport.send(to(server), outbound=LOCAL, pool=pool)
        now += 100
        transport.send(to(server), outbound=LOCAL, pool=pool)
    pool.clear()

    assert server.connections == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_uses_no_socket_of_its_parent(send, pool):
    with serving(answering()) as server:
        send(to(server), outbound=LOCAL, pool=pool)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if send(to(server, body=b"child"), outbound=LOCAL, pool=pool).status == 200 else 2
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        after = send(to(server), outbound=LOCAL, pool=pool)

    assert ended == 0
    assert after.status == 200
    assert server.connections == 2
