"""Our exchange against Authlib's authorization server, over real sockets."""

from datetime import timedelta

import pytest
from django.utils import timezone
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from connectors.oauth2.definition import JWT_BEARER
from connectors.oauth2.errors import CredentialsRefused
from connectors.oauth2.exchange import try_token
from connectors.pool import Pool
from tests.interop.authlib_server import CLIENT_CREDENTIALS, LIFETIME, REGISTRY, Client
from tests.interop.exchanges import BASIC, ODD_PAIRS, POST, RAW, Exchanges

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True)]

SECRET_JWT = {"client_authentication": "client_secret_jwt"}
NONE = {"client_authentication": "none", "body": {"grant_type": "{{grant_type}}", "client_id": "{{client_id}}"}}
PRIVATE_KEY = {"key": "private_key", "secret": True, "format": "multiline"}
LONG = "-and-long-enough-to-sign-with-0123456789"


def private_key_jwt(algorithm):
    return {
        "client_authentication": "private_key_jwt",
        "assertion": {"algorithm": algorithm, "key": "{{private_key}}"},
    }


def jwt_grant(**assertion):
    return {
        "client_authentication": "none",
        "assertion": {"as": "grant", "algorithm": "ES256", "key": "{{private_key}}", **assertion},
    }


def key_for(algorithm):
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", auto_kid=True)
    return ECKey.generate_key("P-256", auto_kid=True) if algorithm.startswith("ES") else RSAKey.generate_key(2048)


def pem(key):
    return key.as_pem(private=True).decode()


@pytest.fixture
def address(live_server, settings):
    settings.ROOT_URLCONF = "tests.interop.authlib_server"
    REGISTRY.audience = f"{live_server.url}/token"
    yield live_server.url
    REGISTRY.forget()


@pytest.fixture
def exchanges(address):
    pool = Pool()
    yield Exchanges(f"{address}/token", f"{address}/resource", pool)
    pool.clear()


def with_secret(method, client_id="reporting", secret="plain-s3cret" + LONG, **more):
    key = KeySet([OctKey.import_key(secret)]) if method == "client_secret_jwt" else None
    return REGISTRY.register(Client(client_id, method, secret, key, **more))


@pytest.mark.parametrize(
    ("method", "token_request"),
    [
        ("client_secret_basic", BASIC),
        ("client_secret_basic", RAW),
        ("client_secret_post", POST),
        ("client_secret_jwt", SECRET_JWT),
        ("none", NONE),
    ],
    ids=["basic", "basic, raw", "post", "client_secret_jwt", "none"],
)
def test_gets_a_token_with_each_client_authentication(exchanges, method, token_request):
    client = with_secret(method)

    _, _, grant = exchanges.ask(client.client_id, client.client_secret, token_request=token_request)

    assert grant.access_token in REGISTRY.tokens
    assert grant.token_type == "Bearer"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_gets_a_token_with_private_key_jwt(exchanges, algorithm):
    key = key_for(algorithm)
    REGISTRY.register(Client("reporting", "private_key_jwt", key=key))

    _, _, grant = exchanges.ask(
        "reporting", token_request=private_key_jwt(algorithm), variables=[PRIVATE_KEY], private_key=pem(key)
    )

    assert grant.access_token in REGISTRY.tokens


@pytest.mark.parametrize("algorithm", ["PS256", "EdDSA"])
def test_deviates_in_that_it_verifies_only_algorithms_that_its_library_recommends(exchanges, algorithm):
    # RFC 7523 leaves the choice to the server; RS256 and ES256 work (see above).
    key = key_for(algorithm)
    REGISTRY.register(Client("reporting", "private_key_jwt", key=key))

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(
            "reporting", token_request=private_key_jwt(algorithm), variables=[PRIVATE_KEY], private_key=pem(key)
        )

    assert refused.value.error == "invalid_client"


@pytest.mark.parametrize(
    ("method", "token_request"),
    [("client_secret_basic", BASIC), ("client_secret_post", POST), ("client_secret_jwt", SECRET_JWT)],
    ids=["basic", "post", "client_secret_jwt"],
)
@pytest.mark.parametrize(("client_id", "secret"), ODD_PAIRS)
def test_reads_back_every_character_of_ids_and_secrets(exchanges, client_id, secret, method, token_request):
    secret = secret + LONG if method == "client_secret_jwt" else secret
    with_secret(method, client_id, secret)

    _, _, grant = exchanges.ask(client_id, secret, token_request=token_request)

    assert REGISTRY.tokens[grant.access_token].client.client_id == client_id


@pytest.mark.parametrize("client_id", [pair[0] for pair in ODD_PAIRS])
def test_reads_back_every_character_of_ids_in_signed_assertions_and_of_public_clients(exchanges, client_id):
    key = key_for("ES256")
    REGISTRY.register(Client(client_id, "private_key_jwt", key=key))
    signed = exchanges.ask(
        client_id, token_request=private_key_jwt("ES256"), variables=[PRIVATE_KEY], private_key=pem(key)
    )
    with_secret("none", client_id)

    public = exchanges.ask(client_id, token_request=NONE)

    assert [REGISTRY.tokens[bought[2].access_token].client.client_id for bought in (signed, public)] == [client_id] * 2


@pytest.mark.parametrize(("client_id", "secret"), [("plus+plus", "a+b+c"), ("a&b=c", "&x=y&"), ("with space", "a b")])
def test_deviates_in_that_it_percent_decodes_basic_but_leaves_plus_alone_so_raw_works_too(exchanges, client_id, secret):
    # RFC 6749 section 2.3.1 has both parts form-encoded, where "+" is a space; ours sends %20, which it reads back.
    with_secret("client_secret_basic", client_id, secret)

    raw, encoded = (exchanges.ask(client_id, secret, token_request=request) for request in (RAW, BASIC))

    assert raw[2].access_token
    assert encoded[2].access_token


@pytest.mark.parametrize(("client_id", "secret"), [("plain", "100%25"), ("a:b", "plain")])
def test_decodes_what_basic_encoding_raw_leaves_alone(exchanges, client_id, secret):
    with_secret("client_secret_basic", client_id, secret)

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client_id, secret, token_request=RAW)

    assert refused.value.error == "invalid_client"


@pytest.mark.parametrize("sent", [BASIC, POST, SECRET_JWT], ids=["basic", "post", "client_secret_jwt"])
@pytest.mark.parametrize("registered", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_takes_only_the_client_authentication_that_a_client_is_registered_for(exchanges, registered, sent):
    client = with_secret(registered)
    if sent["client_authentication"] == registered:
        assert exchanges.ask(client.client_id, client.client_secret, token_request=sent)
        return
    client.key = KeySet([OctKey.import_key(client.client_secret)])

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client.client_id, client.client_secret, token_request=sent)

    assert refused.value.error == "invalid_client"
    assert client.client_secret not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "token_request"),
    [("client_secret_basic", BASIC), ("client_secret_post", POST), ("client_secret_jwt", SECRET_JWT)],
    ids=["basic", "post", "client_secret_jwt"],
)
def test_a_wrong_secret_is_refused_in_words_that_hold_no_secret(exchanges, method, token_request):
    client = with_secret(method)

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client.client_id, "wr0ng-s3cret" + LONG, token_request=token_request)

    assert refused.value.error == "invalid_client"
    assert "wr0ng-s3cret" not in str(refused.value)


def test_a_token_lives_as_many_seconds_as_the_answer_says(exchanges):
    client = with_secret("client_secret_basic")
    before = timezone.now()

    _, _, grant = exchanges.ask(client.client_id, client.client_secret)

    assert grant.expires_at is not None
    assert timedelta(seconds=LIFETIME - 2) < grant.expires_at - before < timedelta(seconds=LIFETIME + 30)


@pytest.mark.parametrize("scope", ["read", "read write"])
def test_a_token_has_the_scope_that_was_asked_for(exchanges, scope):
    client = with_secret("client_secret_basic")

    bought = exchanges.ask(client.client_id, client.client_secret, scope=scope)

    assert exchanges.call("GET", bought).json() == {"client": "reporting", "scope": scope}


def test_a_scope_that_the_server_does_not_know_is_refused_in_words(exchanges):
    client = with_secret("client_secret_basic")

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client.client_id, client.client_secret, scope="fly")

    assert refused.value.error == "invalid_scope"
    assert refused.value.why == "It does not grant the scope that was asked for."


def test_a_client_that_may_not_use_the_grant_is_refused_in_words(exchanges):
    client = with_secret("client_secret_basic", grants=())

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client.client_id, client.client_secret)

    assert refused.value.error == "unauthorized_client"


def test_the_definitions_test_request_passes(exchanges):
    client = with_secret("client_secret_basic")
    method, rendering, grant = exchanges.ask(client.client_id, client.client_secret)

    try_token(method, rendering, grant, send=exchanges.send)


def test_introspection_tells_of_the_token_what_we_read_from_the_answer(exchanges, address):
    client = with_secret("client_secret_basic")
    _, _, grant = exchanges.ask(client.client_id, client.client_secret, scope="read")

    told = exchanges.post(
        f"{address}/introspect", (client.client_id, client.client_secret), token=grant.access_token
    ).json()

    assert (told["active"], told["client_id"], told["scope"]) == (True, "reporting", "read")
    assert abs(told["exp"] - grant.expires_at.timestamp()) < 30


def test_a_token_that_the_revocation_endpoint_took_is_neither_active_nor_accepted(exchanges, address):
    client = with_secret("client_secret_basic")
    credentials = (client.client_id, client.client_secret)
    bought = exchanges.ask(*credentials)
    token = bought[2].access_token

    revoked = exchanges.post(f"{address}/revoke", credentials, token=token)

    assert revoked.status_code == 200
    assert exchanges.post(f"{address}/introspect", credentials, token=token).json() == {"active": False}
    assert exchanges.call("GET", bought).status_code == 401


def granted(exchanges, key, token_request, client_id="reporting", **options):
    REGISTRY.register(Client(client_id, "private_key_jwt", key=key, grants=(JWT_BEARER, CLIENT_CREDENTIALS)))
    return exchanges.ask(
        client_id, token_request=token_request, variables=[PRIVATE_KEY], private_key=pem(key), **options
    )


@pytest.mark.parametrize("client_id", ["reporting", *(pair[0] for pair in ODD_PAIRS)])
@pytest.mark.parametrize("claims", [{}, {"sub": None}], ids=["as itself", "without a subject"])
def test_the_jwt_bearer_grant_buys_a_token(exchanges, client_id, claims):
    bought = granted(exchanges, key_for("ES256"), jwt_grant(claims=claims), client_id, scope="read")

    assert exchanges.call("GET", bought).json() == {"client": client_id, "scope": "read"}


def test_the_jwt_bearer_grant_for_another_subject_is_refused_in_words(exchanges):
    with pytest.raises(CredentialsRefused) as refused:
        granted(exchanges, key_for("ES256"), jwt_grant(claims={"sub": "nobody"}))

    assert refused.value.error == "invalid_grant"


def test_an_assertion_for_another_audience_is_refused(exchanges):
    with pytest.raises(CredentialsRefused) as refused:
        granted(exchanges, key_for("ES256"), jwt_grant(audience="https://elsewhere.test/token"))

    assert refused.value.error == "invalid_grant"


def test_an_assertion_is_made_afresh_for_every_request(exchanges):
    # The server takes each `jti` once.
    client = with_secret("client_secret_jwt")

    bought = [exchanges.ask(client.client_id, client.client_secret, token_request=SECRET_JWT) for _ in range(3)]

    assert len({grant.access_token for _, _, grant in bought}) == 3
    assert len(REGISTRY.seen) == 3
