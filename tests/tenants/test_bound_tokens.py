"""A tenant's tokens are bound to a key (RFC 9449): kept with the token, and proven on every request to the API."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from requests import Request, Session
from requests.exceptions import UnrewindableBodyError

from connectors import transport
from connectors.documents import connector_document, store_connector
from connectors.models import AuthMethod, Connector
from connectors.oauth2 import definition
from connectors.oauth2.dpop import ProofKey
from tenants import connecting, schedule
from tenants.models import Token
from tests.connectors.oauth2.dpop_server import ProofRefused, Proofs
from tests.connectors.transport.servers import http, serving


def document(port):
    return {
        "kind": "connector",
        "key": "vault",
        "name": "Vault",
        "base_url": f"http://127.0.0.1:{port}/api",
        "auth_methods": [
            {
                "key": "bound",
                "name": "Bound tokens",
                "token_request": {"url": f"http://127.0.0.1:{port}/token", "dpop": True},
                "test_request": {"url": "{{base_url}}/me"},
            }
        ],
    }


class Vault:
    """An authorization server and an API, each with nonces of its own; neither takes a proof twice."""

    def __init__(self):
        self.issuer, self.api = (Proofs(timezone.now, nonce) for nonce in ("issuer-1", "api-1"))
        self.bound, self.seen, self.dead, self.rotates = {}, [], set(), False

    def __call__(self, peer):
        while request := peer.request():
            peer.sock.sendall(self.answer(request.decode()))

    def answer(self, request):
        method, path = request.split(" ")[:2]
        fields = dict(line.split(": ", 1) for line in request.partition("\r\n\r\n")[0].split("\r\n")[1:])
        url = f"http://127.0.0.1:{self.port}{path}"
        self.seen.append((method, path, fields))
        if path == "/token":
            return self._token(method, url, fields)
        scheme, _, token = fields.get("Authorization", "").partition(" ")
        try:
            key = self.api.check(fields.get("DPoP", ""), method, url, token)
        except ProofRefused as refused:
            nonce = f'WWW-Authenticate: DPoP error="{refused}"\r\nDPoP-Nonce: {self.api.nonce}\r\n'
            return http(b"{}", status="401 Unauthorized", headers=nonce)
        if self.rotates:
            self.api.nonce += "+"
        given = f"DPoP-Nonce: {self.api.nonce}\r\n"
        if scheme != "DPoP" or self.bound.get(token) != key or token in self.dead:
            return http(b"{}", status="401 Unauthorized", headers=given + "WWW-Authenticate: DPoP\r\n")
        if path == "/api/moved":
            return http(b"", status="307 Temporary Redirect", headers=given + "Location: /api/here?a=1\r\n")
        return http(b'{"ok": true}', headers=given + "Content-Type: application/json\r\n")

    def _token(self, method, url, fields):
        try:
            key = self.issuer.check(fields.get("DPoP", ""), method, url)
        except ProofRefused as refused:
            body = json.dumps({"error": str(refused)}).encode()
            nonce = f"DPoP-Nonce: {self.issuer.nonce}\r\nContent-Type: application/json\r\n"
            return http(body, status="400 Bad Request", headers=nonce)
        token = f"token-{len(self.bound) + 1}"
        self.bound[token] = key
        body = {"access_token": token, "token_type": "DPoP", "expires_in": 3600}
        return http(json.dumps(body).encode(), headers="Content-Type: application/json\r\n")

    def paths(self):
        return [path for _, path, _ in self.seen]


@pytest.fixture
def vault(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    vault = Vault()
    with serving(vault) as server:
        vault.port = server.port
        yield vault
    transport._POOL.clear()


@pytest.fixture
def bound(db, tenant, vault):
    store_connector(definition.Connector.model_validate(document(vault.port)))
    method = AuthMethod.objects.get(connector__key="vault")
    instance = connecting.connect(tenant, method, values={"client_id": "id", "client_secret": "s3cret-value"})
    vault.seen.clear()
    return instance


@pytest.mark.usefixtures("bound")
def test_a_document_with_dpop_survives_the_database(vault):
    assert connector_document(Connector.objects.get(key="vault")) == document(vault.port)


def test_every_request_of_a_client_carries_a_fresh_proof(bound, vault):
    with bound.client() as session:
        answers = [session.get("/a?x=1"), session.post("/b", json={"n": 1}), session.get("/a?x=1")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    # The first was made once more with the API's nonce; from there on it is known.
    assert vault.paths() == ["/api/a?x=1", "/api/a?x=1", "/api/b", "/api/a?x=1"]
    assert [len(answer.history) for answer in answers] == [1, 0, 0]
    assert not any("token" in path for path in vault.paths())


def test_nonces_that_are_good_for_one_request_cost_no_second_one(bound, vault):
    vault.rotates = True

    with bound.client() as session:
        assert [session.get("/a").status_code for _ in range(3)] == [200, 200, 200]

    assert len(vault.seen) == 4


def test_a_token_that_is_turned_down_is_replaced_by_one_for_the_same_key(bound, vault):
    vault.dead.add("token-1")

    with bound.client() as session:
        answer = session.get("/a")

    assert answer.status_code == 200
    assert answer.request.headers["Authorization"] == "DPoP token-2"
    assert vault.bound["token-1"] == vault.bound["token-2"]
    assert [one.status_code for one in answer.history] == [401, 401]  # for the nonce, and for the token


def test_a_redirect_within_the_api_gets_a_proof_for_its_own_address(bound):
    with bound.client() as session:
        answer = session.get("/moved")

    assert answer.status_code == 200
    assert answer.url.endswith("/api/here?a=1")


def test_a_stream_that_can_not_be_sent_twice_is_not_repeated(bound, vault):
    with bound.client() as session:
        with pytest.raises(UnrewindableBodyError, match="nonce"):
            session.post("/b", data=iter([b"a", b"b"]), headers={"Content-Length": "2"})
        again = session.post("/b", data=iter([b"a", b"b"]), headers={"Content-Length": "2"})

    assert again.status_code == 200


def test_the_test_request_is_proven_too(bound, vault):
    connecting.check_now(bound)

    assert vault.paths()[-1] == "/api/me"
    assert "DPoP" in vault.seen[-1][2]


def test_the_key_is_stored_with_the_token_alone_and_kept_for_the_next(bound, vault):
    first = Token.objects.get(pk=bound.pk).bought.dpop_key

    connecting.check_now(bound)

    assert Token.objects.get(pk=bound.pk).bought.dpop_key == first
    assert ProofKey(first).thumbprint == vault.bound["token-2"]


@pytest.mark.both_databases
def test_the_schedule_keeps_the_key_and_reads_it_with_everything_else(bound, vault):
    first = Token.objects.get(pk=bound.pk).bought.dpop_key
    Token.objects.update(refresh_at=timezone.now())

    with CaptureQueriesContext(connection) as queries:
        assert schedule.renew_chunk().renewed == 1

    assert Token.objects.get(pk=bound.pk).bought.dpop_key == first
    asked_for = [query["sql"] for query in queries if '"secrets"' in query["sql"] and "SELECT" in query["sql"]]
    assert len(asked_for) == 1


def test_new_credentials_get_a_new_key(bound, vault):
    connecting.reconnect(bound, values={"client_id": "id", "client_secret": "another"})

    assert vault.bound["token-1"] != vault.bound["token-2"]


def test_readers_with_another_http_library_make_their_own_proofs(bound, vault):
    credentials = bound.credentials()
    url = f"http://127.0.0.1:{vault.port}/api/x"

    proof = credentials.dpop_proof("GET", url, nonce="api-1")

    assert credentials.headers == {"Authorization": "DPoP token-1"}
    assert vault.api.check(proof, "GET", url, "token-1") == vault.bound["token-1"]
    assert json.loads(credentials.dpop_key.jwk)["d"] not in repr(credentials) + repr(credentials.dpop_key)


def test_a_reader_of_a_bound_token_is_given_the_nonce_that_clients_were(bound, vault):
    with bound.client() as session:
        session.get("/a")
    url = f"http://127.0.0.1:{vault.port}/api/x"

    proof = bound.credentials().dpop_proof("GET", url)

    assert vault.api.check(proof, "GET", url, "token-1")


def test_a_token_without_a_key_has_no_proof(instance, provider, clock):
    credentials = instance.credentials(send=provider, clock=clock)

    with pytest.raises(ValueError, match="bound to no key"):
        credentials.dpop_proof("GET", "https://api.example.com/")


def test_the_callers_own_proof_stays(bound, vault):
    own = Request("GET", f"http://127.0.0.1:{vault.port}/api/a", headers={"DPoP": "mine"})

    with bound.client() as session:
        assert session.prepare_request(own).headers["DPoP"] == "mine"


def test_an_auth_object_proves_each_request_and_learns_the_nonce(bound, vault):
    with Session() as session:
        session.trust_env = False
        answers = [session.get(f"http://127.0.0.1:{vault.port}/api/{path}", auth=bound.auth()) for path in ("a", "b")]

    assert [answer.json() for answer in answers] == [{"ok": True}] * 2
    assert vault.paths() == ["/api/a", "/api/a", "/api/b"]


def test_an_auth_object_proves_what_it_is_redirected_to(bound, vault):
    with Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{vault.port}/api/moved", auth=bound.auth())

    assert answer.json() == {"ok": True}
    assert Token.objects.get().bought.access_token == "token-1"


def test_an_auth_object_renews_a_bound_token(bound, vault):
    vault.dead.add("token-1")
    with Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{vault.port}/api/a", auth=bound.auth())

    assert answer.json() == {"ok": True}
    assert answer.request.headers["Authorization"] == "DPoP token-2"
