"""Tokens that are bound to a key (RFC 9449): the exchange, its nonces, and what becomes of the key."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.oauth2.checks import check_connector
from connectors.oauth2.dpop import Nonces, ProofKey
from connectors.oauth2.errors import CredentialsRefused, ResponseNotUnderstood
from connectors.oauth2.exchange import ask, try_token
from connectors.oauth2.request import api_signature
from tests.connectors.oauth2.definitions import NOW, answer, connector_of, given, method_of
from tests.connectors.oauth2.dpop_server import ProofRefused, Proofs
from tests.connectors.oauth2.jwt_keys import form_of, key_for, pem, verified

DPOP = {"token_request": {"dpop": True}}


class Issuer:
    """A token endpoint that binds what it issues."""

    def __init__(self, nonce=None, token_type="DPoP", always=False, demand_status=400):
        self.proofs = Proofs(lambda: NOW, nonce)
        self.requests, self.keys = [], []
        self.token_type, self.always, self.demand_status = token_type, always, demand_status

    def __call__(self, request):
        self.requests.append(request)
        (proof,) = request.headers.all("DPoP")
        try:
            self.keys.append(self.proofs.check(proof, request.method, request.url))
        except ProofRefused as refused:
            fields = {"DPoP_Nonce": self.proofs.nonce} if self.proofs.nonce else {}
            return answer({"error": str(refused)}, self.demand_status, **fields)
        if self.always:
            self.proofs.nonce += "+"
        body = {"access_token": "t0k", "expires_in": 60}
        return answer({**body, "token_type": self.token_type} if self.token_type else body)


def bought(issuer, method=None, clock=lambda: NOW, **values):
    method = method or method_of(**DPOP)
    return ask(method, given(method, **values), send=issuer, clock=clock)


def test_the_token_is_bound_to_a_key_that_the_grant_brings_along():
    issuer = Issuer()

    grant = bought(issuer)

    assert grant.token_type == "DPoP"
    assert ProofKey(grant.dpop_key).thumbprint == issuer.keys[0]
    assert grant.dpop_key not in repr(grant)
    assert "d" in json.loads(grant.dpop_key)
    assert json.loads(grant.dpop_key)["d"] not in repr(grant) + repr(ProofKey(grant.dpop_key))


def test_the_proof_names_the_address_without_its_query():
    issuer = Issuer()
    method = method_of(token_request={"dpop": True, "url": "https://auth.example.com/a%20b?x=1", "query": {"y": "2"}})

    bought(issuer, method)

    assert issuer.requests[0].url == "https://auth.example.com/a%20b?x=1&y=2"


@pytest.mark.parametrize("status", [400, 401])
def test_a_demanded_nonce_is_given_at_once(status):
    issuer = Issuer(nonce="n-1", demand_status=status)

    assert bought(issuer).access_token == "t0k"
    assert len(issuer.requests) == 2


def test_a_demand_without_end_is_a_refusal_after_two_requests():
    issuer = Issuer(nonce="n")
    issuer.proofs.check = _demanding

    with pytest.raises(CredentialsRefused, match="use_dpop_nonce"):
        bought(issuer)

    assert len(issuer.requests) == 2


def _demanding(*args):
    raise ProofRefused("use_dpop_nonce")


def test_the_second_request_has_a_fresh_assertion_too():
    method = method_of(
        variables=[{"key": "pk", "secret": True, "format": "multiline"}],
        token_request={
            "dpop": True,
            "client_authentication": "private_key_jwt",
            "assertion": {"algorithm": "ES256", "key": "{{pk}}"},
        },
    )
    issuer = Issuer(nonce="n-2")

    bought(issuer, method, pk=pem(key_for("ES256")))

    first, second = (verified(form_of(one)["client_assertion"], key_for("ES256"))[1] for one in issuer.requests)
    assert first["jti"] != second["jti"]


def test_the_time_of_the_first_request_counts_against_the_second():
    issuer = Issuer(nonce="n-3")
    times = iter([0, 0, 20, 21])

    bought(issuer, clock=lambda: datetime.fromtimestamp(NOW.timestamp() + next(times), UTC))

    assert [request.spent for request in issuer.requests] == [0, 20]


def test_the_last_nonce_is_used_for_the_next_token_of_the_same_key():
    issuer = Issuer(nonce="n-4", always=True)
    method = method_of(**DPOP)
    first = bought(issuer, method)
    issuer.proofs.nonce = "n-4"

    ask(method, replace(given(method), dpop_key=first.dpop_key), send=issuer, clock=lambda: NOW)

    assert len(issuer.requests) == 3
    assert issuer.keys[0] == issuer.keys[1]


def test_each_instance_has_a_key_of_its_own():
    issuer = Issuer()

    bought(issuer), bought(issuer)

    assert issuer.keys[0] != issuer.keys[1]


def test_a_token_that_was_not_bound_is_refused():
    with pytest.raises(ResponseNotUnderstood, match="did not bind it to the key") as refused:
        bought(Issuer(token_type="Bearer"))

    assert "t0k" not in str(refused.value)


def test_a_provider_that_does_not_name_the_type_is_believed():
    assert bought(Issuer(token_type=None)).token_type == "DPoP"


def test_a_document_can_leave_the_type_unread():
    method = method_of(**DPOP, token_response={"token_type": ""})

    assert bought(Issuer(token_type="Bearer"), method).access_token == "t0k"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, "DPoP t0k"),
        ({"query": {}}, "DPoP t0k"),
        ({"headers": {"Authorization": "Bearer {{access_token}}"}}, "Bearer t0k"),
        ({"headers": {"Authorization": "{{token_type}} {{access_token}}"}}, "DPoP t0k"),
    ],
)
def test_api_requests_name_the_scheme_unless_the_document_does(stated, expected):
    method = method_of(**DPOP, api_request=stated)

    signature = api_signature(method, given(method), bought(Issuer(), method))

    assert signature.headers == {"Authorization": expected}


@pytest.mark.parametrize("nonce", [None, "api-1"])
def test_the_test_request_proves_the_key_and_names_the_token(nonce):
    method = method_of(**DPOP, test_request={"url": "https://api.example.com/me?x=1"})
    grant = bought(Issuer(), method)
    proofs, keys = Proofs(lambda: NOW, nonce), []

    def api(request):
        try:
            keys.append(proofs.check(request.headers.get("DPoP"), request.method, request.url, "t0k"))
        except ProofRefused as refused:
            challenge = f'DPoP error="{refused}"'
            return answer({}, 401, **{"WWW_Authenticate": challenge, "DPoP_Nonce": nonce or ""})
        return answer({})

    try_token(method, given(method), grant, send=api)

    assert keys == [ProofKey(grant.dpop_key).thumbprint]


def test_a_refusal_never_repeats_a_proof():
    def echoing(request):
        return answer({"error": "invalid_dpop_proof", "error_description": request.headers.get("DPoP")}, 400)

    with pytest.raises(CredentialsRefused) as refused:
        bought(echoing)

    assert "eyJ" not in str(refused.value)
    assert "clock" in refused.value.remedy


def test_a_token_without_a_key_goes_out_without_a_proof():
    method = method_of(test_request={"url": "https://api.example.com/me"})
    sent = []

    def send(request):
        sent.append(request)
        return answer({"access_token": "t0k"})

    try_token(method, given(method), bought(send, method), send=send)

    assert not any("DPoP" in request.headers for request in sent)


def test_nonces_are_kept_apart_by_server_and_key_and_not_without_end(monkeypatch):
    monkeypatch.setattr("connectors.oauth2.dpop._MAX_NONCES", 2)
    nonces, one, other = Nonces(), ProofKey.make(), ProofKey.make()

    nonces.note(one, "https://a.example/x", "1")
    nonces.note(other, "https://a.example/x", "2")
    nonces.note(one, "https://a.example/x", "x" * 5000)

    assert nonces.latest(one, "https://A.example/y?z") == "1"
    assert nonces.latest(other, "https://a.example/") == "2"
    assert nonces.latest(one, "https://a.example:8443/") == ""
    nonces.note(one, "https://b.example/", "3")
    assert nonces.latest(one, "https://a.example/") == ""


@pytest.mark.parametrize("section", ["token_request", "api_request"])
def test_a_document_that_writes_the_header_itself_is_refused(section):
    parts = {"token_request": {"dpop": True}}
    parts[section] = {**parts.get(section, {}), "headers": {"dpop": "x"}}

    assert [problem.path[2] for problem in check_connector(connector_of(**parts))] == [section]


def test_a_document_with_dpop_is_accepted():
    assert check_connector(connector_of(**DPOP)) == []
