"""A tenant connects with a certificate: tokens bound to it, and an API that sees it on every request (RFC 8705)."""

import json
import ssl
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256

import pytest
import requests
from django.utils import timezone

from connectors import transport
from connectors.documents import connector_document, store_connector
from connectors.models import AuthMethod, Connector
from connectors.oauth2 import definition
from tenants import connecting
from tenants.errors import CredentialsRefused, ValidationFailed
from tenants.models import Event, Instance, Tenant
from tests.connectors.client_pki import authority as clients_authority
from tests.connectors.client_pki import certified, client, in_between, self_signed
from tests.connectors.transport.servers import Authority, http, serving
from tests.tenants.provider import history


def document(port, way="tls_client_auth"):
    return {
        "kind": "connector",
        "key": "bank",
        "name": "Bank",
        "base_url": f"https://127.0.0.1:{port}/api",
        "auth_methods": [
            {
                "key": "certificate",
                "name": "Certificate",
                "variables": [
                    {"key": "certificate", "format": "multiline"},
                    {"key": "private_key", "secret": True, "format": "multiline"},
                ],
                "token_request": {
                    "url": f"https://127.0.0.1:{port}/token",
                    "client_authentication": way,
                    "tls": {"certificate": "{{certificate}}", "private_key": "{{private_key}}"},
                },
                "test_request": {"url": "{{base_url}}/me"},
            }
        ],
    }


def values(party):
    return {"client_id": "the-id", "certificate": party.chain, "private_key": party.private_key}


class Bank:
    """Issues tokens that are bound to the certificate they were asked for with, and checks that on each API request."""

    def __init__(self):
        self.bound = {}
        self.seen = []

    def __call__(self, peer):
        while request := peer.request():
            presented = peer.sock.getpeercert(binary_form=True)
            peer.sock.sendall(self.answer(request.decode(), presented))

    def answer(self, request, presented):
        thumbprint = _thumbprint(presented)
        self.seen.append((request.split(" ")[1], thumbprint))
        if request.startswith("POST /token"):
            return self._token(request, thumbprint)
        if request.startswith("GET /api/away"):
            port = request.partition("away/")[2].partition(" ")[0]
            return http(b"", status="302 Found", headers=f"Location: https://127.0.0.1:{port}/elsewhere\r\n")
        token = request.partition("Authorization: Bearer ")[2].partition("\r\n")[0]
        cnf = self.bound.get(token)
        if cnf != {"x5t#S256": thumbprint}:
            return http(b"{}", status="401 Unauthorized")
        return http(json.dumps(cnf).encode(), headers="Content-Type: application/json\r\n")

    def _token(self, request, thumbprint):
        if "client_id=the-id" not in request or "client_secret" in request:
            return http(b'{"error": "invalid_client"}', status="401 Unauthorized")
        token = f"token-{len(self.bound) + 1}"
        self.bound[token] = {"x5t#S256": thumbprint}
        body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode()
        return http(body, headers="Content-Type: application/json\r\n")


def _thumbprint(der):
    return urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode() if der else None


@pytest.fixture(scope="session")
def servers_authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("bank"))


@pytest.fixture
def reachable(settings, servers_authority):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.OUTBOUND_CA_FILE = servers_authority.file


@pytest.fixture
def bank(reachable, servers_authority):
    context = servers_authority.context("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=clients_authority().pem + self_signed().pem)
    handler = Bank()
    with serving(handler, context=context) as server:
        handler.port = server.port
        yield handler
    transport._POOL.clear()


@pytest.fixture
def method(db, bank):
    store_connector(definition.Connector.model_validate(document(bank.port)))
    return AuthMethod.objects.get(connector__key="bank")


@pytest.mark.usefixtures("method")
def test_a_document_with_a_certificate_survives_the_database(bank):
    assert connector_document(Connector.objects.get(key="bank")) == document(bank.port)


@pytest.mark.parametrize(
    ("way", "party"),
    [("tls_client_auth", client()), ("self_signed_tls_client_auth", self_signed())],
    ids=["signed by an authority", "self-signed"],
)
def test_a_bound_token_is_bought_and_used_with_the_same_certificate(tenant, db, bank, way, party):
    store_connector(definition.Connector.model_validate(document(bank.port, way)))
    method = AuthMethod.objects.get(connector__key="bank")

    instance = connecting.connect(tenant, method, values=values(party))
    with instance.client() as session:
        answers = [session.get("/accounts"), session.get("/accounts")]

    assert [answer.json() for answer in answers] == [{"x5t#S256": _thumbprint_of(party)}] * 2
    assert {thumbprint for _, thumbprint in bank.seen} == {_thumbprint_of(party)}
    assert [path for path, _ in bank.seen] == ["/token", "/api/accounts", "/api/accounts"]


def _thumbprint_of(party):
    return urlsafe_b64encode(party.thumbprint).rstrip(b"=").decode()


def test_the_test_request_presents_the_certificate_too(tenant, method, bank):
    instance = connecting.connect(tenant, method, values=values(client()))

    connecting.check_now(instance)

    assert ("/api/me", _thumbprint_of(client())) in bank.seen


def test_a_client_goes_on_with_a_new_certificate(tenant, method, bank):
    instance = connecting.connect(tenant, method, values=values(client()))
    with instance.client() as session:
        session.get("/accounts")
        renewed = {"certificate": self_signed().chain, "private_key": self_signed().private_key}
        connecting.reconnect(instance, values=renewed, only_named=True)

        answer = session.get("/accounts")

    assert answer.json() == {"x5t#S256": _thumbprint_of(self_signed())}


def test_a_redirect_to_elsewhere_takes_no_certificate_along(tenant, method, bank, servers_authority):
    instance = connecting.connect(tenant, method, values=values(client()))
    optional = servers_authority.context("127.0.0.1")
    optional.verify_mode = ssl.CERT_OPTIONAL
    optional.load_verify_locations(cadata=clients_authority().pem)
    seen = []

    def elsewhere(peer):
        while request := peer.request():
            seen.append((peer.sock.getpeercert(binary_form=True), b"Authorization" in request))
            peer.sock.sendall(http())

    with serving(elsewhere, context=optional) as server, instance.client() as session:
        assert session.get(f"/away/{server.port}").status_code == 200

    assert seen == [(None, False)]


def test_a_certificate_that_the_provider_does_not_know_asks_for_action(tenant, method):
    stranger = certified("A stranger")

    with pytest.raises(CredentialsRefused, match="does not know the authority"):
        connecting.connect(tenant, method, values=values(stranger))

    assert not Instance.objects.exists()


def test_a_certificate_that_expired_asks_for_action_at_the_next_renewal(tenant, method, clock, bank):
    instance = connecting.connect(tenant, method, values=values(client()), clock=clock_of(0))

    with pytest.raises(ValidationFailed) as refused:
        connecting.check_now(instance, clock=clock_of(400))

    assert "expired on" in refused.value.fields["certificate"]
    assert history(instance)[-1][0] == Event.Kind.CONNECTED
    instance.refresh_from_db()
    assert instance.status == Instance.Status.ACTION_REQUIRED
    assert client().private_key.splitlines()[1] not in instance.status_reason


def clock_of(days):
    return lambda: timezone.now() + timedelta(days=days)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"private_key": self_signed().private_key}, "private_key"),
        ({"certificate": "garbage"}, "certificate"),
        ({"certificate": certified("old", in_between(), from_days=-9, to_days=-8).chain}, "certificate"),
    ],
    ids=["another's key", "garbage", "expired"],
)
def test_what_can_not_work_is_refused_before_anything_is_sent(tenant, method, bank, wrong, field):
    with pytest.raises(ValidationFailed) as refused:
        connecting.connect(tenant, method, values={**values(client()), **wrong})

    assert field in refused.value.fields
    assert bank.seen == []


def test_a_new_key_alone_is_held_against_the_stored_certificate(tenant, method, bank):
    instance = connecting.connect(tenant, method, values=values(client()))
    bank.seen.clear()

    with pytest.raises(ValidationFailed) as refused:
        connecting.reconnect(instance, values={"private_key": self_signed().private_key}, only_named=True)

    assert "does not belong to the certificate" in refused.value.fields["private_key"]
    assert bank.seen == []


def test_credentials_hand_out_the_certificate_but_never_show_it(tenant, method):
    instance = connecting.connect(tenant, method, values=values(client()))

    credentials = instance.credentials()

    assert credentials.certificate.chain == client().chain
    assert credentials.certificate.private_key == client().private_key
    assert "BEGIN" not in repr(credentials) + repr(credentials.certificate)


def test_another_tenants_client_presents_its_own(tenant, method, bank):
    ours = connecting.connect(tenant, method, values=values(client()))
    other = Tenant.objects.create(key="other", name="Other")
    theirs = connecting.connect(other, method, values=values(self_signed()))

    with ours.client() as one, theirs.client() as two:
        seen = [session.get("/accounts").json()["x5t#S256"] for session in (one, two, one)]

    assert seen == [_thumbprint_of(client()), _thumbprint_of(self_signed()), _thumbprint_of(client())]


def test_an_api_that_turns_the_certificate_down_raises_requests_own_error(tenant, method, servers_authority, bank):
    instance = connecting.connect(tenant, method, values=values(client()))
    bank_only = servers_authority.context("127.0.0.1")
    bank_only.verify_mode = ssl.CERT_REQUIRED
    bank_only.load_verify_locations(cadata=self_signed().pem)

    with serving(bank, context=bank_only) as server:
        Connector.objects.filter(key="bank").update(base_url=f"https://127.0.0.1:{server.port}")
        AuthMethod.objects.filter(pk=method.pk).touch()
        with instance.client() as session, pytest.raises(requests.exceptions.ConnectionError) as refused:
            session.get("/accounts")

    assert "PRIVATE KEY" not in str(refused.value)


def test_an_auth_object_leaves_certificates_to_the_session_and_says_so(tenant, method, bank):
    instance = connecting.connect(tenant, method, values=values(client()))
    url = f"https://127.0.0.1:{bank.port}/api/accounts"

    with pytest.raises(ValueError, match=r"client certificate.*presents_certificate=True"):
        requests.get(url, auth=instance.auth(), timeout=20)
    signed = requests.Request("GET", url, auth=instance.auth(presents_certificate=True)).prepare()

    assert signed.headers["Authorization"] == "Bearer token-1"
    assert [path for path, _ in bank.seen] == ["/token"]
