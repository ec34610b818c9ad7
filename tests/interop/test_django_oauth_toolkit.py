"""Our exchange against django-oauth-toolkit's token endpoint, over real sockets."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import Application

from config.sandbox.models import Client
from connectors.oauth2.errors import CredentialsRefused
from connectors.oauth2.exchange import try_token
from connectors.pool import Pool
from tests.interop.exchanges import BASIC, ODD_PAIRS, POST, RAW, Exchanges

pytestmark = [pytest.mark.interop, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def exchanges(live_server):
    pool = Pool()
    yield Exchanges(f"{live_server.url}/sandbox/oauth/token", f"{live_server.url}/sandbox/api", pool)
    pool.clear()


@pytest.fixture
def owner():
    return User.objects.create_user("owner")


@pytest.fixture
def registered(owner):
    client, secret = Client.objects.register(owner=owner, name="Reporting", token_lifetime=90)
    return client, client.application.client_id, secret


def named(owner, client_id, secret):
    """A client with an ID and a secret of our choosing."""
    client, _ = Client.objects.register(owner=owner, name="Odd")
    Application.objects.filter(pk=client.application_id).update(client_id=client_id)
    client.application.refresh_from_db()
    client.application.client_secret = secret
    client.application.save()


@pytest.mark.parametrize("token_request", [BASIC, RAW, POST], ids=["basic", "basic, raw", "post"])
def test_gets_a_token_with_each_client_authentication(exchanges, registered, token_request):
    _, client_id, secret = registered

    _, _, grant = exchanges.ask(client_id, secret, token_request=token_request)

    assert grant.access_token
    assert grant.token_type == "Bearer"


@pytest.mark.parametrize("token_request", [BASIC, POST], ids=["basic", "post"])
@pytest.mark.parametrize(("client_id", "secret"), ODD_PAIRS)
def test_reads_back_every_character_of_ids_and_secrets(exchanges, owner, client_id, secret, token_request):
    named(owner, client_id, secret)

    _, _, grant = exchanges.ask(client_id, secret, token_request=token_request)

    assert grant.access_token


@pytest.mark.parametrize(("client_id", "secret"), [("plain", "a+b"), ("plain", "100%25"), ("a:b", "plain")])
def test_decodes_what_basic_encoding_raw_leaves_alone(exchanges, owner, client_id, secret):
    # It form-decodes both parts (RFC 6749 section 2.3.1), so only what needs no encoding survives `raw`.
    named(owner, client_id, secret)

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client_id, secret, token_request=RAW)

    assert refused.value.error == "invalid_client"


def test_a_token_lives_as_long_as_its_client_says(exchanges, registered):
    before = timezone.now()

    _, _, grant = exchanges.ask(*registered[1:])

    assert grant.expires_at is not None
    assert timedelta(seconds=88) < grant.expires_at - before < timedelta(seconds=95)


def test_the_api_answers_about_the_client_and_the_tokens_remaining_life(exchanges, registered):
    bought = exchanges.ask(*registered[1:])

    answer = exchanges.call("GET", bought)

    assert answer.status_code == 200
    assert answer.json()["client"] == {"id": registered[1], "name": "Reporting"}
    assert answer.json()["scopes"] == ["read", "write"]
    assert 80 < answer.json()["expires_in"] <= 90


def test_the_definitions_test_request_passes(exchanges, registered):
    method, rendering, grant = exchanges.ask(*registered[1:])

    try_token(method, rendering, grant, send=exchanges.send)


def test_a_scope_narrows_the_token(exchanges, registered):
    bought = exchanges.ask(*registered[1:], scope="read")

    answer = exchanges.call("PATCH", bought, json={"name": "Other"})

    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"


def test_the_scope_write_lets_the_client_change_its_name(exchanges, registered):
    bought = exchanges.ask(*registered[1:], scope="read write")

    answer = exchanges.call("PATCH", bought, json={"name": "Other"})

    assert answer.json()["client"]["name"] == "Other"


def test_a_scope_beyond_the_clients_is_refused_in_words(exchanges, owner):
    client, secret = Client.objects.register(owner=owner, name="Reader", scopes="read")

    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(client.application.client_id, secret, scope="read write")

    assert refused.value.error == "invalid_scope"
    assert refused.value.why == "It does not grant the scope that was asked for."


@pytest.mark.parametrize("token_request", [BASIC, POST], ids=["basic", "post"])
def test_a_wrong_secret_is_refused_in_words_that_hold_no_secret(exchanges, registered, token_request):
    with pytest.raises(CredentialsRefused) as refused:
        exchanges.ask(registered[1], "wr0ng-s3cret", token_request=token_request)

    assert refused.value.error == "invalid_client"
    assert refused.value.why == "It does not accept the client ID or the client secret."
    assert "Copy both once more" in refused.value.remedy
    assert "wr0ng-s3cret" not in str(refused.value)


def test_a_revoked_secret_is_refused_while_its_token_lives_on(exchanges, registered):
    client, client_id, secret = registered
    bought = exchanges.ask(client_id, secret)

    client.revoke_secret()

    with pytest.raises(CredentialsRefused):
        exchanges.ask(client_id, secret)
    assert exchanges.call("GET", bought).status_code == 200


def test_a_new_secret_takes_the_place_of_the_one_before(exchanges, registered):
    client, client_id, secret = registered

    new = client.renew_secret()

    with pytest.raises(CredentialsRefused):
        exchanges.ask(client_id, secret)
    assert exchanges.ask(client_id, new)


def test_the_api_answers_401_to_a_token_that_was_revoked_before_its_time(exchanges, registered):
    bought = exchanges.ask(*registered[1:])

    revoked = registered[0].revoke_tokens()

    answer = exchanges.call("GET", bought)
    assert revoked == 1
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


# The sandbox serves neither revocation nor introspection; the library does.


@pytest.fixture
def endpoints(live_server, settings):
    settings.ROOT_URLCONF = "tests.interop.toolkit_urls"
    return live_server.url


def test_a_token_is_active_for_whom_it_was_issued_and_says_its_scope_and_expiry(exchanges, registered, endpoints):
    _, client_id, secret = registered
    _, _, grant = exchanges.ask(client_id, secret, scope="read")

    told = exchanges.post(f"{endpoints}/introspect", (client_id, secret), token=grant.access_token).json()

    assert told["active"] is True
    assert told["client_id"] == client_id
    assert told["scope"] == "read"
    assert abs(told["exp"] - grant.expires_at.timestamp()) < 30


@pytest.mark.parametrize("token_request", [BASIC, POST], ids=["basic", "post"])
def test_a_token_that_the_revocation_endpoint_took_is_neither_active_nor_accepted(
    exchanges, registered, endpoints, token_request
):
    _, client_id, secret = registered
    bought = exchanges.ask(client_id, secret, token_request=token_request)
    token = bought[2].access_token

    revoked = exchanges.post(f"{endpoints}/revoke", (client_id, secret), token=token)

    told = exchanges.post(f"{endpoints}/introspect", (client_id, secret), token=token)
    assert revoked.status_code == 200
    assert told.json() == {"active": False}
    assert exchanges.call("GET", bought).status_code == 401


def test_another_client_cannot_revoke_it(exchanges, owner, registered, endpoints):
    bought = exchanges.ask(*registered[1:])
    other, secret = Client.objects.register(owner=owner, name="Other")

    exchanges.post(f"{endpoints}/revoke", (other.application.client_id, secret), token=bought[2].access_token)

    assert exchanges.call("GET", bought).status_code == 200


@pytest.mark.parametrize(("client_id", "secret"), [("plain", "plain-._~"), ("a-b.c", "x~y_z")])
def test_basic_encoding_raw_is_the_same_where_nothing_needs_encoding(exchanges, owner, client_id, secret):
    named(owner, client_id, secret)

    _, _, grant = exchanges.ask(client_id, secret, token_request=RAW)

    assert grant.access_token


def test_each_request_gets_a_token_of_its_own_and_leaves_the_one_before_alone(exchanges, registered):
    first = exchanges.ask(*registered[1:])

    second = exchanges.ask(*registered[1:])

    assert first[2].access_token != second[2].access_token
    assert [exchanges.call("GET", bought).status_code for bought in (first, second)] == [200, 200]
