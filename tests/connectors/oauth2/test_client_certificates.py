"""A client's certificate and key, looked at when they are entered and again when a request is made."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from connectors.oauth2.certificates import CertificateProblem, client_certificate, read_chain
from connectors.oauth2.checks import check_connector
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.request import Bought, api_signature, make_test_request, make_token_request
from connectors.oauth2.signing_keys import KeyProblem
from connectors.oauth2.values import check_given, resolve
from tests.connectors.client_pki import authority, certified, client, in_between, self_signed
from tests.connectors.oauth2.definitions import ONE_UUID, connector_of, method_of
from tests.connectors.oauth2.jwt_keys import form_of, key_for, pem, public_pem
from tests.connectors.oauth2.test_signing_keys import LOCKED

NOW = datetime.now(UTC)
TLS = {"certificate": "{{certificate}}", "private_key": "{{private_key}}"}
VARIABLES = [
    {"key": "certificate", "format": "multiline"},
    {"key": "private_key", "format": "multiline", "secret": True},
]


def mtls(client_authentication="tls_client_auth", variables=VARIABLES, **token_request):
    request = {"client_authentication": client_authentication, "tls": TLS, **token_request}
    return {"variables": variables, "token_request": request}


def values(party, **more):
    return {"client_id": "the-id", "certificate": party.chain, "private_key": party.private_key, **more}


def rendered(method, given, now=NOW):
    return resolve(method, given, {}, now=now, uuid=ONE_UUID)


def made(party, now=NOW, **request):
    method = method_of(**mtls(**request))
    return make_token_request(method, rendered(method, values(party, client_secret="s3cret"), now))


@pytest.mark.parametrize("way", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_the_client_id_goes_beside_the_certificate_and_no_secret_is_asked_for(way):
    method = method_of(**mtls(way))

    request = make_token_request(method, rendered(method, values(client())))

    assert form_of(request) == {"grant_type": "client_credentials", "client_id": "the-id"}
    assert request.certificate.chain == client().chain
    assert "client_secret" not in {variable.key for variable in method.asked}
    assert request.certificate.private_key not in repr(request) + repr(request.certificate)
    assert "BEGIN" not in repr(request) + repr(request.certificate)


def test_the_client_id_goes_where_the_authentication_puts_parameters():
    in_query = made(client(), method="GET", body_format="none")
    in_json = made(client(), body_format="json")

    assert in_query.url.endswith("?client_id=the-id")
    assert b'"client_id":"the-id"' in in_json.body
    assert "client_id" not in form_of(made(client(), body={"grant_type": "x", "client_id": None}))


def test_a_certificate_stands_beside_any_client_authentication():
    request = made(client(), client_authentication="client_secret_basic")

    assert request.headers.get("Authorization").startswith("Basic ")
    assert request.certificate.chain == client().chain


def test_without_tls_nothing_is_presented():
    method = method_of()

    assert make_token_request(method, rendered(method, {"client_id": "a", "client_secret": "b"})).certificate is None


def test_the_api_and_the_test_request_see_the_same_certificate():
    method = method_of(**mtls(), test_request={"url": "https://api.example.com/me"})
    rendering, bought = rendered(method, values(client())), Bought("t", "Bearer", None, {})

    assert api_signature(method, rendering, bought).certificate.chain == client().chain
    assert make_test_request(method, rendering, bought).certificate.chain == client().chain


@pytest.mark.parametrize(
    "broken", [str, lambda text: text.replace("\n", "\\n"), lambda text: text.replace("\n", "\r\n")]
)
def test_line_breaks_may_be_real_or_written(broken):
    assert client_certificate(broken(client().chain), broken(client().private_key)).chain == client().chain


def test_a_chain_in_any_order_is_presented_from_the_client_up():
    whole = client().pem + in_between().pem + authority().pem

    shuffled = client_certificate(authority().pem + in_between().pem + client().pem, client().private_key)

    assert shuffled.chain == whole
    assert client_certificate(whole + whole, client().private_key).chain == whole


def test_a_bundle_of_both_serves_as_either():
    bundle = client().private_key + "Bag Attributes\n" + client().chain
    method = method_of(
        variables=[{"key": "bundle", "secret": True, "format": "multiline"}],
        token_request={
            "client_authentication": "tls_client_auth",
            "tls": {"certificate": "{{bundle}}", "private_key": "{{bundle}}"},
        },
    )

    assert check_given(method, {"bundle": bundle}, now=NOW) == {}
    assert client_certificate(bundle, bundle).chain == client().chain


def test_certificates_are_told_apart_by_their_chains():
    one, other = certified("one"), certified("other")

    fingerprints = {client_certificate(party.chain, party.private_key).fingerprint for party in (one, other, one)}

    assert len(fingerprints) == 2


EXPIRED = certified("expired", from_days=-20, to_days=-10)
COMING = certified("coming", from_days=10, to_days=20)
SHORT = certified("short", key=rsa.generate_private_key(65537, 1024))  # noqa: S505 -- it is refused
REQUEST = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----"


@pytest.mark.parametrize(
    ("given", "variable", "said"),
    [
        ({"private_key": public_pem(key_for("ES256"))}, "private_key", "public key, but the private key belongs here"),
        ({"private_key": LOCKED}, "private_key", "passphrase"),
        ({"private_key": client().pem}, "private_key", "a certificate, but the private key belongs here"),
        ({"private_key": "garbage"}, "private_key", "neither a PEM key"),
        ({"private_key": client().private_key[:100]}, "private_key", "can't be read"),
        ({"certificate": "garbage"}, "certificate", "no certificate in PEM"),
        ({"certificate": client().pem[:300]}, "certificate", "can't be read"),
        ({"certificate": client().pem.replace("M", "N")}, "certificate", "can't be read"),
        ({"certificate": public_pem(key_for("ES256"))}, "certificate", "a public key, but the certificate belongs"),
        ({"certificate": REQUEST}, "certificate", "a request for a certificate"),
        ({"certificate": client().private_key}, "certificate", "There is a private key in this"),
        ({"certificate": client().pem + client().private_key}, "certificate", "There is a private key in this"),
        ({"certificate": EXPIRED.pem}, "certificate", "expired on"),
        ({"certificate": COMING.pem}, "certificate", "not valid before"),
        ({"certificate": SHORT.pem}, "certificate", "1024 bits"),
        (
            {"certificate": client().chain, "private_key": self_signed().private_key},
            "private_key",
            "does not belong to the certificate",
        ),
        (
            {"certificate": client().chain, "private_key": pem(key_for("RS256"))},
            "private_key",
            "does not belong to the certificate",
        ),
    ],
    ids=itertools.count(),
)
def test_what_is_wrong_is_said_at_once_and_at_the_right_field(given, variable, said):
    method = method_of(**mtls())

    problems = check_given(method, given, now=NOW)

    assert list(problems) == [variable]
    assert said in problems[variable]
    lines = {line for text in given.values() for line in text.splitlines() if len(line) > 30}
    assert not any(line in problems[variable] for line in lines)


def test_one_wrong_value_is_not_held_against_the_other():
    problems = check_given(method_of(**mtls()), values(client(), certificate="garbage"), now=NOW)

    assert list(problems) == ["certificate"]


def test_good_values_are_fine():
    method = method_of(**mtls())

    assert check_given(method, values(client()), now=NOW) == {}
    assert check_given(method, values(self_signed()), now=NOW) == {}
    assert check_given(method, values(client(), certificate=EXPIRED.pem, private_key=EXPIRED.private_key)) == {}


def test_nothing_is_kept_of_a_certificate_that_is_refused():
    with pytest.raises(CertificateProblem) as problem:
        read_chain(client().pem.replace("M", "N"))

    assert problem.value.__context__ is None


def test_a_certificate_that_expires_later_on_stops_the_next_request_with_its_field():
    with pytest.raises(ValidationFailed) as refused:
        made(client(), NOW + timedelta(days=400))

    assert "expired on" in refused.value.fields["certificate"]


def test_what_was_changed_apart_is_looked_at_together_before_anything_is_sent():
    method = method_of(**mtls())
    mixed = values(client(), private_key=self_signed().private_key)

    with pytest.raises(ValidationFailed) as refused:
        make_token_request(method, rendered(method, mixed))

    assert "does not belong" in refused.value.fields["private_key"]


def test_a_key_alone_is_said_to_be_wrong_by_its_own_error():
    with pytest.raises(KeyProblem):
        client_certificate(client().chain, public_pem(key_for("ES256")))


@pytest.mark.parametrize(
    ("parts", "path", "said"),
    [
        (mtls(tls=None), ("tls",), "tls_client_auth needs a certificate"),
        (mtls(tls={**TLS, "certificate": " "}), ("tls", "certificate"), "is empty"),
        (mtls(tls={**TLS, "certificate": "x"}), ("tls", "certificate"), "no certificate in PEM"),
        (mtls(tls={**TLS, "private_key": ""}), ("tls", "private_key"), "is empty"),
        (mtls(tls={**TLS, "private_key": "x"}), ("tls", "private_key"), "is no secret"),
        (mtls(tls={**TLS, "private_key": "{{certificate}}"}), ("tls", "private_key"), "which is not secret"),
        (mtls(tls={**TLS, "certificate": "{{certficate}}"}), ("tls", "certificate"), "names nothing here"),
        (mtls(url="http://auth.example.com/token"), ("url",), "begins with http://"),
        (mtls(body_format="text", body="x"), ("client_authentication",), "has no place in this body"),
    ],
    ids=itertools.count(),
)
def test_a_definition_that_could_present_nothing_is_refused(parts, path, said):
    problems = check_connector(connector_of(**parts))

    assert [problem.path[2:] for problem in problems] == [("token_request", *path)]
    assert said in str(problems[0])


@pytest.mark.parametrize(
    "parts",
    [
        mtls(),
        mtls("self_signed_tls_client_auth"),
        mtls("client_secret_basic"),
        mtls("none", body_format="text", body="x"),
        mtls(tls={**TLS, "certificate": client().certificate.public_bytes(Encoding.PEM).decode()}, variables=VARIABLES),
    ],
    ids=itertools.count(),
)
def test_a_definition_with_a_certificate_is_accepted(parts):
    assert check_connector(connector_of(**parts)) == []


def test_the_operators_key_is_not_for_a_host_that_a_tenant_names():
    hidden = [{**VARIABLES[0]}, {**VARIABLES[1], "display": "hidden", "default_from_env": "KEY"}, {"key": "shop"}]

    problems = check_connector(connector_of(**mtls(variables=hidden, url="https://{{shop}}.example.com/token")))

    assert ["private_key" in str(problem) for problem in problems] == [True]
