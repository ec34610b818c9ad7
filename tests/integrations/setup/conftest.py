"""An integration of two connectors, a provider that is really there, and links to set it up."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from connectors.models import AuthMethod, Connector
from integrations import links, sessions
from integrations.models import Component, Integration, Session
from tests.tenants.wizard.rows import make_method
from tests.tenants.wizard.token_server import TokenServer, running

MakeLink = Callable[..., str]
HOST = "https://app.example.com/done?from=latchkey"


@pytest.fixture
def server(settings: Any) -> Iterator[TokenServer]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with running() as made:
        yield made


@pytest.fixture
def zoom(db: None, server: TokenServer) -> AuthMethod:
    return make_method(Connector.objects.create(key="zoom", name="Zoom"), token_request={"url": server.url})


@pytest.fixture
def crm(zoom: AuthMethod) -> Integration:
    integration = Integration.objects.create(
        key="crm-sync", name="CRM sync", allowed_redirects=["https://app.example.com/done"]
    )
    Component.objects.create(integration=integration, name="meetings", connector=zoom.connector, auth_method=zoom)
    return integration


@pytest.fixture
def chat(crm: Integration, server: TokenServer) -> AuthMethod:
    """The second component's method."""
    method = make_method(Connector.objects.create(key="chat", name="Chat"), token_request={"url": server.url})
    Component.objects.create(integration=crm, name="talk", connector=method.connector, position=1)
    return method


@pytest.fixture
def make_link(crm: Integration) -> MakeLink:
    """Makes a session for acme, and gives the path of its link."""

    def make(**wanted: Any) -> str:
        wanted = {"tenant": "acme", "tenant_name": "Acme Ltd", "redirect_url": HOST, **wanted}
        _, text = sessions.create(crm, **wanted)
        return links.url_of(text).removeprefix("http://127.0.0.1:8000")

    return make


@pytest.fixture
def browser() -> Client:
    """Nobody is signed in, and no cookie is kept between requests."""
    return Client(enforce_csrf_checks=True)


def session_of(link: str) -> Session:
    found = links.find(link.split("/")[2])
    assert found is not None
    return found
