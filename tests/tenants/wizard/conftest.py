"""The three people: the owner, another tenant's user, a stranger without a tenant."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connectors.models import AuthMethod, Connector
from tenants.models import Draft, Instance, Membership, Tenant
from tests.tenants.wizard.rows import NOW, PASSWORD, SECRET, make_instance, make_method
from tests.tenants.wizard.token_server import TokenServer, running

SignIn = Callable[[User], Client]


@pytest.fixture
def connector(db: None) -> Connector:
    return Connector.objects.create(key="zoom", name="Zoom", category="communication", description="Meetings.")


@pytest.fixture
def method(connector: Connector) -> AuthMethod:
    return make_method(connector)


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(key="acme", name="Acme Ltd")


@pytest.fixture
def globex(db: None) -> Tenant:
    return Tenant.objects.create(key="globex", name="Globex")


@pytest.fixture
def owner(acme: Tenant) -> User:
    user = User.objects.create_user("olivia", password=PASSWORD)
    Membership.objects.create(tenant=acme, user=user)
    return user


@pytest.fixture
def other(globex: Tenant) -> User:
    user = User.objects.create_user("oscar", password=PASSWORD)
    Membership.objects.create(tenant=globex, user=user)
    return user


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("sam", password=PASSWORD)


@pytest.fixture
def instance(acme: Tenant, method: AuthMethod) -> Instance:
    return make_instance(acme, method)


@pytest.fixture
def draft(acme: Tenant, owner: User, method: AuthMethod) -> Draft:
    return Draft.objects.create(
        tenant=acme,
        user=owner,
        auth_method=method,
        values={"client_id": "the-client", "client_secret": SECRET},
        set_at={"client_secret": NOW.isoformat()},
    )


@pytest.fixture
def signed_in() -> SignIn:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def browser_of_owner(owner: User, signed_in: SignIn) -> Client:
    return signed_in(owner)


@pytest.fixture
def token_server(settings) -> Iterator[TokenServer]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as server:
        yield server


@pytest.fixture
def live_method(connector: Connector, token_server: TokenServer) -> AuthMethod:
    """A method whose token endpoint is really there."""
    return make_method(connector, token_request={"url": token_server.url})
