"""What a person is told: the likeliest cause, and what to do next, case by case."""

import pytest

from connectors.oauth2.advice import NOT_UNDERSTOOD, REFUSALS, STEP_NOT_UNDERSTOOD, advise
from connectors.oauth2.errors import TokenError
from connectors.oauth2.exchange import ask
from tests.connectors.oauth2.definitions import NOW, answer, given, method_of
from tests.connectors.oauth2.jwt_keys import key_for, pem

RSA = pem(key_for("RS256"))
BY_KEY = {
    "variables": [{"key": "private_key", "secret": True, "format": "multiline"}],
    "token_request": {"client_authentication": "private_key_jwt", "assertion": {"key": "{{private_key}}"}},
}
BY_GRANT = {
    **BY_KEY,
    "token_request": {"client_authentication": "none", "assertion": {"key": "{{private_key}}", "as": "grant"}},
}
BY_SECRET_JWT = {"token_request": {"client_authentication": "client_secret_jwt"}}
LOGIN = {"steps": [{"key": "login", "url": "https://auth.example.com/login", "keep": {"s": "s"}}]}
SECRET = "a-secret-that-is-long-enough-to-sign-with"
PAGE = b"\xef\xbb\xbf\n<!DOCTYPE HTML><title>Sign in</title>"


def refused(response, **parts):
    method = method_of(**parts)
    values = {"client_secret": SECRET, **({"private_key": RSA} if "private_key" in method.by_key else {})}
    with pytest.raises(TokenError) as raised:
        ask(method, given(method, **values), send=lambda _: response, clock=lambda: NOW)
    return raised.value


def error(code, status=400):
    return answer({"error": code}, status)


@pytest.mark.parametrize(
    ("response", "parts", "cause", "remedies"),
    [
        (error("invalid_client", 401), {}, "client ID or the client secret", ["client_secret_basic", "replaced"]),
        (error("invalid_client", 401), BY_KEY, "signed assertion", ["clock", "audience", "key ID (kid)"]),
        (error("invalid_client"), BY_SECRET_JWT, "signed assertion", ["clock", "audience", "algorithm"]),
        (error("invalid_grant"), BY_GRANT, "signed assertion", ["clock", "audience", "key ID (kid)"]),
        (error("invalid_grant"), {}, "revoked or has expired", ["new credentials"]),
        (error("invalid_dpop_proof"), {}, "proof that goes with the request", ["clock", "token URL"]),
        (error("unauthorized_client"), {}, "may not use this kind of sign-in", ["client credentials grant"]),
        (error("access_denied", 403), {}, "may not use this kind of sign-in", ["client credentials grant"]),
        (error("invalid_scope"), {}, "does not grant the scope", ["spelling"]),
        (error("invalid_target"), {}, "resource or audience", ["audience"]),
        (error("unsupported_grant_type"), {}, "grant type", ["documentation"]),
        (error("invalid_request"), {}, "incomplete or malformed", ["parameters"]),
        (error("E-17"), {}, "does not say more", ["console"]),
        (answer(b"", 401), {}, "does not accept the credentials", ["account and environment"]),
        (answer(b"", 403), {}, "allow-list", ["permissions"]),
        (answer(b"", 404), {}, "no token endpoint at this address", ["host or tenant", "token URL"]),
        (answer(b"", 405), {}, "does not take this kind of request", ["method"]),
        (answer(b"", 415), {}, "does not take this kind of request", ["body format"]),
        (answer(b"", 302, Location="https://b.example"), {}, "elsewhere", ["final address"]),
        (answer(PAGE, content_type="text/html"), {}, "page for people", ["host", "token URL"]),
        (
            answer(PAGE, content_type="text/html"),
            {"token_response": {"access_token": "$"}},
            "page for people",
            ["host"],
        ),
        (answer({"token": "t"}), {}, "another name in this answer", ["Response authentication token key"]),
        (answer(b"", 204), {}, "another name in this answer", ["Response authentication token key"]),
        (answer(b"", 429), {}, "Too many tokens", ["tried again by itself"]),
        (answer(b"", 503), {}, "in trouble", ["tried again by itself"]),
        (answer({"error": "invalid_client"}), LOGIN, "client ID or the client secret", ["Copy both"]),
        (answer(b"", 404), LOGIN, "nothing at the step's address", ["`url`"]),
        (answer(b"", 405), LOGIN, "step's address does not take", ["`method`"]),
        (answer(b"", 302), LOGIN, "sends the step elsewhere", ["final address"]),
        (answer(PAGE, content_type="text/html"), LOGIN, "page for people", ["password"]),
        (answer({"x": 1}), LOGIN, "may have other names", ["`keep`"]),
        (answer(b"", 418), LOGIN, "step's address does not take", ["`url`"]),
    ],
)
def test_the_likeliest_cause_and_the_remedy_are_told(response, parts, cause, remedies):
    told = refused(response, **parts)

    assert cause in told.why
    for remedy in remedies:
        assert remedy in told.remedy
    assert SECRET not in str(told)


def test_a_refused_certificate_is_the_likeliest_cause_where_one_proves_the_client():
    told = advise(REFUSALS, "invalid_client", 401, proof="certificate")

    assert "client certificate" in told.why
    assert "registered" in told.remedy


@pytest.mark.parametrize("table", [REFUSALS, NOT_UNDERSTOOD, STEP_NOT_UNDERSTOOD])
def test_every_rule_is_reached_and_the_last_fits_everything(table):
    reached = {
        id(advise(table, code, status, proof=proof, is_page=is_page))
        for code in ["", "else", *{code for rule in table for code in rule.codes}]
        for status in range(600)
        for proof in ("", "assertion", "grant", "certificate")
        for is_page in (False, True)
    }

    assert reached == {id(rule) for rule in table}
    assert all(rule.why.endswith(".") and rule.remedy.endswith(".") for rule in table)
