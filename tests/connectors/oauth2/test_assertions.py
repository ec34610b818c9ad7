import json

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from connectors.oauth2.checks import check_connector
from connectors.oauth2.definition import JWT_BEARER
from connectors.oauth2.errors import CredentialsRefused, ValidationFailed
from connectors.oauth2.exchange import ask
from connectors.oauth2.request import make_token_request
from connectors.oauth2.signing_keys import KEY_ALGORITHMS, SECRET_ALGORITHMS
from tests.connectors.oauth2.definitions import NOW, ONE_UUID, answer, connector_of, given, method_of
from tests.connectors.oauth2.jwt_keys import form_of, key_for, pem, rsa_jwk, verified

KEY = {"key": "private_key", "secret": True, "format": "multiline"}
ISSUED = int(NOW.timestamp())
RS = key_for("RS256")


def signing(*, authentication="private_key_jwt", variables=(KEY,), token_request=None, **assertion):
    assertion = {"key": "{{private_key}}", **assertion}
    request = {"client_authentication": authentication, "assertion": assertion, **(token_request or {})}
    return method_of(variables=list(variables), token_request=request)


def sent(method, key=RS, **values):
    return make_token_request(method, given(method, private_key=key if isinstance(key, str) else pem(key), **values))


def jwt_of(request, key=RS, name="client_assertion"):
    return verified(form_of(request)[name], key)


@pytest.mark.parametrize("algorithm", KEY_ALGORITHMS)
def test_signs_with_a_private_key(algorithm):
    key = key_for(algorithm)

    form = form_of(sent(signing(algorithm=algorithm), key))

    header, claims = verified(form.pop("client_assertion"), key)
    assert header == {"alg": algorithm, "typ": "JWT"}
    assert claims == {
        "iss": "the-id",
        "sub": "the-id",
        "aud": "https://auth.example.com/token",
        "iat": ISSUED,
        "exp": ISSUED + 300,
        "jti": str(ONE_UUID),
    }
    assert form == {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


@pytest.mark.parametrize("algorithm", ["", *SECRET_ALGORITHMS])
def test_signs_with_the_client_secret(algorithm):
    stated = {"algorithm": algorithm} if algorithm else {}
    method = method_of(token_request={"client_authentication": "client_secret_jwt", "assertion": stated})

    form = form_of(make_token_request(method, given(method, client_secret="só")))

    header, _ = verified(form["client_assertion"], "só".encode())
    assert header["alg"] == algorithm or "HS256"
    assert "client_secret" not in form


def test_client_secret_jwt_needs_no_assertion_section():
    method = method_of(token_request={"client_authentication": "client_secret_jwt"})

    form = form_of(make_token_request(method, given(method)))

    assert verified(form["client_assertion"], b"the-secret")[1]["sub"] == "the-id"


@pytest.mark.parametrize(
    "text",
    [
        pem(RS),
        pem(RS, PrivateFormat.TraditionalOpenSSL),
        pem(RS).replace("\n", "\\n"),
        pem(RS).replace("\n", "\r\n"),
        "Bag Attributes\n    friendlyName: x\n" + pem(RS),
        json.dumps(rsa_jwk(RS)),
        json.dumps(rsa_jwk(RS, alg="RS512", use="enc", key_ops=["verify"], kid="")),
    ],
    ids=["pkcs8", "pkcs1", "escaped", "crlf", "bag", "jwk", "jwk-with-uses"],
)
def test_reads_the_key_as_people_paste_it(text):
    assert jwt_of(sent(signing(), text))[0] == {"alg": "RS256", "typ": "JWT"}


def test_a_jwk_brings_its_key_id_which_the_document_can_replace():
    jwk = json.dumps(rsa_jwk(RS, kid="from-jwk"))
    own = {"key": "kid", "required": False}

    assert jwt_of(sent(signing(), jwk))[0]["kid"] == "from-jwk"
    named = signing(variables=(KEY, own), key_id="{{kid}}")
    assert jwt_of(sent(named, jwk, kid="typed"))[0]["kid"] == "typed"
    assert jwt_of(sent(named, jwk))[0]["kid"] == "from-jwk"
    assert "kid" not in jwt_of(sent(signing(headers={"kid": None}), jwk))[0]


def test_claims_and_headers_win_and_null_takes_away():
    method = signing(
        claims={
            "iss": "{{client_id}}-x",
            "sub": None,
            "aud": ["a", "{{client_id}}"],
            "n": 5,
            "empty": "{{scope}}",
            "deep": {"none": None},
        },
        headers={"typ": None, "x5t#S256": "{{client_id}}", "crit": ["b64"]},
        lifetime=60,
    )

    header, claims = jwt_of(sent(method))

    assert header == {"alg": "RS256", "x5t#S256": "the-id", "crit": ["b64"]}
    assert claims == {
        "iss": "the-id-x",
        "aud": ["a", "the-id"],
        "n": 5,
        "deep": {"none": None},
        "iat": ISSUED,
        "exp": ISSUED + 60,
        "jti": str(ONE_UUID),
    }


def test_moments_are_numbers_whoever_wrote_them():
    method = signing(
        claims={
            "nbf": "{{now()}}",
            "iat": '{{now("%s", "-15m")}}',
            "exp": "soon",
            "auth": "{{now()}}",
            "deep": {"exp": "{{now()}}"},
        }
    )

    _, claims = jwt_of(sent(method))

    assert (claims["nbf"], claims["iat"], claims["exp"]) == (ISSUED, ISSUED - 900, "soon")
    assert (claims["auth"], claims["deep"]) == (str(ISSUED), {"exp": str(ISSUED)})


def test_the_audience_is_the_token_url_as_rendered():
    shop = {"key": "shop"}
    method = signing(variables=(KEY, shop), token_request={"url": "https://{{shop}}.example.com/t?x=1"})
    other = signing(variables=(KEY, shop), audience="https://{{shop}}")

    assert jwt_of(sent(method, shop="ACME"))[1]["aud"] == "https://acme.example.com/t?x=1"
    assert jwt_of(sent(other, shop="a"))[1]["aud"] == "https://a"


def test_without_a_body_the_assertion_goes_into_the_query():
    request = sent(signing(token_request={"body_format": "none", "method": "GET"}))

    assert request.url.startswith("https://auth.example.com/token?client_assertion_type=urn%3Aietf")
    assert "&client_assertion=eyJ" in request.url


def test_a_json_body_takes_the_assertion_too():
    request = sent(signing(token_request={"body_format": "json"}))

    assert verified(json.loads(request.body)["client_assertion"], RS)


def test_the_client_id_stands_beside_only_where_the_body_has_it():
    body = {"grant_type": "{{grant_type}}", "client_id": "{{client_id}}"}

    assert form_of(sent(signing(token_request={"body": body})))["client_id"] == "the-id"


def test_the_jwt_can_be_the_grant_beside_a_client_authentication():
    method = signing(authentication="client_secret_basic", **{"as": "grant"}, claims={"sub": "user@example.com"})

    request = sent(method)

    form = form_of(request)
    assert verified(form.pop("assertion"), RS)[1]["sub"] == "user@example.com"
    assert form == {"grant_type": JWT_BEARER}
    assert request.headers.get("Authorization").startswith("Basic ")


def test_a_grant_type_that_the_document_states_stays():
    own = {"key": "grant_type", "default": "jwt"}
    method = signing(authentication="none", variables=(KEY, own), **{"as": "grant"})

    assert form_of(sent(method))["grant_type"] == "jwt"


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        (signing(), {"client_id", "private_key"}),
        (signing(claims={"iss": "x"}), {"client_id", "private_key"}),
        (signing(claims={"iss": "x", "sub": None}), {"private_key"}),
        (signing(authentication="none", **{"as": "grant"}, claims={"iss": "x", "sub": "y"}), {"private_key"}),
        (
            signing(authentication="client_secret_post", **{"as": "grant"}),
            {"client_id", "client_secret", "private_key"},
        ),
        (method_of(token_request={"client_authentication": "client_secret_jwt"}), {"client_id", "client_secret"}),
    ],
)
def test_only_what_the_assertion_uses_is_asked_for(method, asked):
    assert {variable.key for variable in method.asked} - {"grant_type", "scope", "token_key"} == asked


def test_an_algorithm_that_a_value_names_is_checked_before_anything_is_sent():
    method = signing(variables=(KEY, {"key": "alg"}), algorithm="{{alg}}")

    with pytest.raises(ValidationFailed) as wrong:
        sent(method, alg="none")
    with pytest.raises(ValidationFailed) as unfit:
        sent(method, alg="ES256")

    assert set(wrong.value.fields) == {"alg"}
    assert set(unfit.value.fields) == {"private_key"}
    assert unfit.value.__context__ is None or pem(RS)[40:80] not in repr(unfit.value.__context__)


def test_a_provider_that_repeats_the_assertion_is_not_quoted_with_it():
    method = signing()
    seen = []

    def send(request):
        seen.append(form_of(request)["client_assertion"])
        return answer({"error": "invalid_client", "error_description": f"bad {seen[0]}"}, 401)

    with pytest.raises(CredentialsRefused) as refused:
        ask(method, given(method, private_key=pem(RS)), send=send, clock=lambda: NOW)

    assert seen[0] not in str(refused.value)
    assert seen[0].rpartition(".")[2] not in refused.value.description


@pytest.mark.parametrize(
    ("request_part", "assertion", "place"),
    [
        ({"client_authentication": "private_key_jwt"}, None, "assertion.key"),
        ({"client_authentication": "private_key_jwt"}, {"algorithm": "ES256"}, "assertion.key"),
        ({"client_authentication": "private_key_jwt"}, {"key": "-----BEGIN"}, "assertion.key"),
        ({"client_authentication": "private_key_jwt"}, {"key": "{{client_id}}"}, "assertion.key"),
        ({"client_authentication": "private_key_jwt"}, {"key": "{{nothing}}"}, "assertion.key"),
        ({"client_authentication": "private_key_jwt"}, {"key": "{{k}}", "algorithm": "HS256"}, "assertion.algorithm"),
        ({"client_authentication": "private_key_jwt"}, {"key": "{{k}}", "algorithm": "none"}, "assertion.algorithm"),
        ({"client_authentication": "client_secret_jwt"}, {"algorithm": "RS256"}, "assertion.algorithm"),
        ({"client_authentication": "private_key_jwt"}, {"key": "{{k}}", "as": "grant"}, "assertion.as"),
        ({"client_authentication": "none"}, {"key": "{{k}}"}, "assertion"),
        ({"client_authentication": "client_secret_jwt"}, {"headers": {"alg": "x"}}, "assertion.headers.alg"),
        ({"client_authentication": "client_secret_jwt"}, {"claims": {"{{k}}": "x"}}, "assertion.claims.{{k}}"),
        ({"client_authentication": "client_secret_jwt"}, {"claims": {"a": {"b": "{{n}}"}}}, "assertion.claims.a.b"),
        ({"client_authentication": "client_secret_jwt", "body_format": "text", "body": "x"}, {}, "body_format"),
        (
            {"client_authentication": "none", "body_format": "json", "body": ["{{k}}"]},
            {"key": "{{k}}", "as": "grant"},
            "body_format",
        ),
    ],
)
def test_refuses_an_assertion_that_can_not_be_made(request_part, assertion, place):
    request = request_part if assertion is None else {**request_part, "assertion": assertion}
    connector = connector_of(variables=[{"key": "k", "secret": True}], token_request=request)

    problems = check_connector(connector)

    wanted = ("auth_methods", 0, "token_request", *place.split("."))
    assert wanted in [problem.path for problem in problems]


@pytest.mark.parametrize(
    "method",
    [
        signing(),
        signing(algorithm="ES256"),
        signing(authentication="none", **{"as": "grant"}),
        method_of(token_request={"client_authentication": "client_secret_jwt"}),
        method_of(token_request={"client_authentication": "client_secret_jwt", "body_format": "none"}),
    ],
)
def test_accepts_an_assertion_that_can(method):
    assert check_connector(method.connector) == []


def test_a_tenant_who_names_the_host_gets_nothing_signed_with_the_operators_key():
    hidden = {**KEY, "display": "hidden", "default_from_env": "ACME_KEY"}
    method = signing(variables=(hidden, {"key": "shop"}), token_request={"url": "https://{{shop}}.example.com/t"})

    problems = check_connector(method.connector)

    assert [problem.path[-2:] for problem in problems] == [("token_request", "url")]
