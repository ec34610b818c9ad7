"""The examples of the documentation: each can be imported, and renders the requests that its provider documents."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command

from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.request import Bought, api_signature, make_token_request
from connectors.oauth2.values import check_given, resolve
from tests.connectors.client_pki import client

EXAMPLES = Path(settings.BASE_DIR) / "docs" / "examples"
FORM = "application/x-www-form-urlencoded"
CLIENT = {"client_id": "my id", "client_secret": "s3c/ret"}
# "my id" and "s3c/ret", percent-encoded, joined by a colon, in base64 (RFC 6749 section 2.3.1).
BASIC = "Basic bXklMjBpZDpzM2MlMkZyZXQ="


class Expected(NamedTuple):
    file: str
    given: dict[str, str]
    url: str
    headers: dict[str, str]
    body: str
    api_headers: dict[str, str]
    base_url: str


EXPECTED = [
    Expected(
        "twitch",
        {},
        "https://id.twitch.tv/oauth2/token",
        {"Content-Type": FORM},
        "grant_type=client_credentials&client_id=my+id&client_secret=s3c%2Fret",
        {"Authorization": "Bearer T0KEN", "Client-Id": "my id"},
        "https://api.twitch.tv/helix",
    ),
    Expected(
        "okta",
        {"okta_domain": "Acme.okta.com", "scope": "okta.users.read okta.logs.read"},
        "https://acme.okta.com/oauth2/v1/token",
        {"Content-Type": FORM, "Authorization": BASIC},
        "grant_type=client_credentials&scope=okta.users.read+okta.logs.read",
        {"Authorization": "Bearer T0KEN"},
        "https://acme.okta.com",
    ),
    Expected(
        "zoom",
        {"account_id": "AbC_1-2"},
        "https://zoom.us/oauth/token",
        {"Content-Type": FORM, "Authorization": BASIC},
        "grant_type=account_credentials&account_id=AbC_1-2",
        {"Authorization": "Bearer T0KEN"},
        "https://api.zoom.us/v2",
    ),
    Expected(
        "microsoft-entra",
        {"tenant": "contoso.onmicrosoft.com"},
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
        {"Content-Type": FORM},
        "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
        "&client_id=my+id&client_secret=s3c%2Fret",
        {"Authorization": "Bearer T0KEN"},
        "https://graph.microsoft.com/v1.0",
    ),
    Expected(
        "shopify",
        {"shop": "acme-store"},
        "https://acme-store.myshopify.com/admin/oauth/access_token",
        {"Content-Type": FORM},
        "grant_type=client_credentials&client_id=my+id&client_secret=s3c%2Fret",
        {"X-Shopify-Access-Token": "T0KEN"},
        "https://acme-store.myshopify.com/admin/api/2025-07",
    ),
    Expected(
        "auth0",
        {"domain": "acme.eu.auth0.com"},
        "https://acme.eu.auth0.com/oauth/token",
        {"Content-Type": "application/json"},
        '{"grant_type":"client_credentials","audience":"https://acme.eu.auth0.com/api/v2/",'
        '"client_id":"my id","client_secret":"s3c/ret"}',
        {"Authorization": "Bearer T0KEN"},
        "https://acme.eu.auth0.com/api/v2",
    ),
    Expected(
        "mutual-tls",
        {"client_secret": "", "certificate": client().chain, "private_key": client().private_key},
        "https://mtls.auth.acme.example/token",
        {"Content-Type": FORM},
        "grant_type=client_credentials&client_id=my+id",
        {"Authorization": "Bearer T0KEN"},
        "https://api.acme.example/v1",
    ),
    Expected(
        "dpop",
        {},
        "https://auth.acme.example/token",
        {"Content-Type": FORM, "Authorization": BASIC},
        "grant_type=client_credentials&resource=https%3A%2F%2Fapi.acme.example%2Fv1"
        "&resource=https%3A%2F%2Ffiles.acme.example%2F",
        {"Authorization": "DPoP T0KEN"},
        "https://api.acme.example/v1",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda expected: expected.file)
def test_an_example_renders_what_its_provider_documents(expected: Expected) -> None:
    call_command("connectors", "import", str(EXAMPLES / f"{expected.file}.yaml"), verbosity=0)
    method = definition_of(AuthMethod.objects.get()).method
    given = {**CLIENT, **expected.given}
    rendering = resolve(method, given, {}, now=datetime.now(UTC), uuid=UUID(int=0))

    request = make_token_request(method, rendering)
    signature = api_signature(method, rendering, Bought("T0KEN", "Bearer", None, {}))

    assert check_given(method, given) == {}
    assert (request.method, request.url) == ("POST", expected.url)
    stated = {name: value for name, value in request.headers.fields if name not in ("Accept", "User-Agent")}
    assert stated == expected.headers
    assert (request.body or b"").decode() == expected.body
    assert signature.headers == expected.api_headers
    assert signature.base_url == expected.base_url


@pytest.mark.django_db
def test_all_examples_can_be_imported_together() -> None:
    files = sorted(str(file) for file in EXAMPLES.glob("*.yaml"))

    call_command("connectors", "import", *files, verbosity=0)

    assert len(files) == len(EXPECTED) + 1
