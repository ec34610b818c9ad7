"""An API's address that an answer or a value gives: over plain http only to hosts that the operator allows."""

import pytest

from connectors import transport
from connectors.models import AuthMethod, Connector
from connectors.oauth2.errors import AddressRefused
from tenants import connecting
from tenants.models import Event, Instance
from tenants.schedule import renew_chunk
from tests.tenants.provider import make_method

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
OPEN = "http://api.example.com/v1"


@pytest.fixture
def method(db: None) -> AuthMethod:
    made = make_method(token_response={"keep": ["api_url"]})
    Connector.objects.filter(pk=made.connector_id).update(base_url="{{response.api_url}}")
    return AuthMethod.objects.get(pk=made.pk)


@pytest.fixture
def connect(tenant, method, provider, clock):
    def connected(api_url: str) -> Instance:
        provider.answers.append(provider.token("token-1", api_url=api_url))
        return connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    return connected


@pytest.mark.parametrize(
    ("allowed", "api_url"),
    [
        ([], "https://api.example.com/v1"),
        (["api.example.com"], OPEN),
        (["api.example.com:8080"], "http://api.example.com:8080"),
        (["10.0.0.0/8"], "http://10.1.2.3/v1"),
        (["10.0.0.0/8"], "https://api.example.com"),
    ],
)
def test_https_and_what_the_operator_allows_is_handed_out(connect, settings, clock, allowed, api_url):
    settings.OUTBOUND_ALLOWED_HOSTS = allowed

    credentials = connect(api_url).credentials(clock=clock)

    assert credentials.base_url == api_url


@pytest.mark.parametrize(
    ("allowed", "api_url"),
    [
        ([], OPEN),
        (["other.example.com", "api.example.com:8080"], OPEN),
        (["10.0.0.0/8"], "http://93.184.216.34/v1"),
        (["127.0.0.1"], "http://127.0.0.2"),
    ],
)
def test_an_answer_that_gives_an_open_address_is_refused_and_nothing_is_kept(connect, settings, allowed, api_url):
    settings.OUTBOUND_ALLOWED_HOSTS = allowed

    with pytest.raises(AddressRefused, match=r"http://.*OUTBOUND_ALLOWED_HOSTS") as refused:
        connect(api_url)

    assert not Instance.objects.exists()
    assert "token-1" not in str(refused.value)


def test_a_renewal_whose_answer_gives_one_is_recorded_and_the_old_token_serves_on(connect, provider, clock):
    instance = connect("https://api.example.com/v1")
    provider.answers.append(provider.token("token-2", api_url=OPEN))
    clock.advance(minutes=55)

    renew_chunk(send=provider, clock=clock)

    instance.refresh_from_db()
    assert (instance.status, instance.status_code) == (Instance.Status.ACTION_REQUIRED, "address_refused")
    assert instance.credentials(clock=clock).access_token == "token-1"
    assert Event.objects.filter(instance=instance, code="address_refused").exists()


def test_a_reader_and_a_client_are_refused_alike_where_it_was_kept_before(tenant, method, provider, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["api.example.com"]
    provider.answers.append(provider.token("token-1", api_url=OPEN))
    instance = connecting.connect(tenant, method, values=VALUES, send=provider)
    settings.OUTBOUND_ALLOWED_HOSTS = []

    with pytest.raises(AddressRefused, match=r"http://api\.example\.com"):
        instance.credentials()
    with instance.client() as http, pytest.raises(AddressRefused, match=r"http://api\.example\.com"):
        http.get("/users/me")

    assert len(provider.requests) == 1


def test_an_address_that_the_definition_spells_out_is_its_authors_affair(tenant, provider, clock, settings):
    method = make_method("spelt")
    Connector.objects.filter(key="spelt").update(base_url=OPEN)
    method = AuthMethod.objects.get(pk=method.pk)

    instance = connecting.connect(tenant, method, values=VALUES, send=provider, clock=clock)

    assert instance.credentials(clock=clock).base_url == OPEN


def test_an_https_address_is_never_looked_up(connect, settings, clock, monkeypatch):
    settings.OUTBOUND_ALLOWED_HOSTS = ["10.0.0.0/8"]
    monkeypatch.setattr(transport.socket, "getaddrinfo", None)

    assert connect("https://api.example.com").credentials(clock=clock).base_url == "https://api.example.com"
