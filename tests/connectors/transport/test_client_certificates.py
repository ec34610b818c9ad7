"""A client's certificate on the wire: servers that demand and verify one, and what they say when they don't take it."""

import os
import ssl
import tempfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from connectors import client_certificates, tls
from connectors.guarded_requests import guarded_session, present
from connectors.oauth2.certificates import ClientCertificate, client_certificate
from connectors.oauth2.errors import CredentialsRefused, ValidationFailed
from connectors.transport import send
from tests.connectors.client_pki import authority as clients_authority
from tests.connectors.client_pki import certified, client, in_between, self_signed
from tests.connectors.transport.exchanges import LOCAL, assert_holds_no_secret, here, to
from tests.connectors.transport.servers import http, serving

HOST = "api.example"
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def of(party):
    return client_certificate(party.chain, party.private_key)


def telling(peer):
    """Answer each request with the certificate that was presented on its connection, in DER."""
    while peer.request():
        peer.sock.sendall(http(peer.sock.getpeercert(binary_form=True) or b"none"))


@pytest.fixture
def demanding(authority):
    """Servers that demand a certificate signed by one of `trusted`."""

    def context(*trusted, version=ssl.TLSVersion.TLSv1_3):
        made = authority.context(HOST)
        made.maximum_version = made.minimum_version = version
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(cadata="".join(party.pem for party in trusted))
        return serving(telling, context=made)

    return context


@pytest.fixture
def rules(authority):
    return replace(LOCAL, ca_file=authority.file)


@pytest.fixture
def ask(rules, pool):
    def asked(server, party):
        request = to(server, host=HOST, scheme="https")
        request = replace(request, certificate=None if party is None else of(party))
        return send(request, outbound=rules, resolve=here, pool=pool)

    return asked


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_with_its_chain_is_accepted(demanding, ask, version):
    with demanding(clients_authority(), version=version) as server:
        answer = ask(server, client())

    assert answer.body == client().certificate.public_bytes(client_certificates.Encoding.DER)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_self_signed_certificate_is_accepted(demanding, ask, version):
    with demanding(self_signed(), version=version) as server:
        assert ask(server, self_signed()).status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("party", "said"),
    [
        (self_signed(), "does not know the authority"),
        (replace(client(), issuer=None), "does not know the authority"),  # the one in between is not presented
        (certified("late", in_between(), from_days=-9, to_days=-8), "has expired"),
        (certified("forged", in_between(), signed_with=certified("x").key), ""),
    ],
    ids=["self-signed", "broken chain", "expired", "forged"],
)
def test_a_certificate_that_is_turned_down_asks_for_a_person(demanding, ask, version, party, said):
    with demanding(clients_authority(), version=version) as server, pytest.raises(CredentialsRefused) as refused:
        ask(server, party)

    assert "because of the client certificate" in refused.value.what
    assert said in refused.value.why
    assert "registered" in refused.value.remedy
    assert refused.value.permanent
    assert server.requests == []
    assert_holds_no_secret(refused.value)


def test_a_server_that_demands_one_and_gets_none_says_so(demanding, ask):
    with demanding(clients_authority()) as server, pytest.raises(CredentialsRefused, match=r"token_request\.tls"):
        ask(server, None)


def test_a_connection_is_never_shared_by_two_certificates(demanding, ask):
    both = (clients_authority(), self_signed())
    with demanding(*both) as server:
        answers = [ask(server, party).body for party in (client(), self_signed(), client(), self_signed())]

    assert answers[0] == answers[2] != answers[1] == answers[3]
    assert server.connections == 2


def test_a_kept_connection_with_a_certificate_is_not_for_requests_without(authority, ask):
    optional = authority.context(HOST)
    optional.verify_mode = ssl.CERT_OPTIONAL
    optional.load_verify_locations(cadata=self_signed().pem)
    with serving(telling, context=optional) as server:
        assert ask(server, self_signed()).body != b"none"
        assert ask(server, None).body == b"none"


def test_contexts_are_kept_but_not_without_end(authority, monkeypatch):
    monkeypatch.setattr(tls, "MAX_CONTEXTS", 2)
    monkeypatch.setattr(tls, "_presenting", OrderedDict())
    first, second, third = (of(certified(name)) for name in ("1", "2", "3"))

    made = tls.context(authority.file, first)
    tls.context(authority.file, second)

    assert tls.context(authority.file, first) is made
    tls.context(authority.file, third)
    assert len(tls._presenting) == 2
    assert tls.context(authority.file, first) is made


@pytest.mark.parametrize("has_memory_files", [True, False])
def test_no_key_is_left_behind_and_none_is_ever_written_in_the_clear(tmp_path, monkeypatch, has_memory_files):
    if not has_memory_files:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    class Watching(ssl.SSLContext):
        def load_cert_chain(self, path, *args, **kwargs):
            seen.append((Path(path).read_text(), list(tmp_path.iterdir())))
            super().load_cert_chain(path, *args, **kwargs)

    client_certificates.load(Watching(ssl.PROTOCOL_TLS_CLIENT), of(client()))

    ((written, files),) = seen
    assert "BEGIN ENCRYPTED PRIVATE KEY" in written
    assert len(files) == (0 if has_memory_files and hasattr(os, "memfd_create") else 1)
    assert list(tmp_path.iterdir()) == []


def test_what_this_machines_tls_does_not_take_is_said(monkeypatch):
    one, other = of(client()), of(self_signed())

    with pytest.raises(ValidationFailed, match="does not take it") as refused:
        client_certificates.load(
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ClientCertificate(one.chain, other.private_key, "x")
        )

    assert refused.value.__context__ is None


def test_requests_of_a_session_present_the_certificate_they_were_given(demanding, rules):
    both = (clients_authority(), self_signed())
    with demanding(*both) as server, guarded_session(outbound=rules, resolve=here) as session:
        seen = [_by_session(session, server, party).content for party in (client(), self_signed(), client())]

    assert seen[0] == seen[2] != seen[1]
    assert server.connections == 2


def test_a_session_presents_none_unless_it_is_told_to(demanding, rules):
    with (
        demanding(clients_authority()) as server,
        guarded_session(outbound=rules, resolve=here) as session,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        _by_session(session, server, None)


def _by_session(session, server, party):
    request = session.prepare_request(requests.Request("GET", f"https://{HOST}:{server.port}/"))
    present(request, None if party is None else of(party))
    return session.send(request)
