"""A tenant connects with a private key: stored encrypted, looked at when it is entered, used for every renewal."""

import pytest

from connectors.documents import connector_document, store_connector
from connectors.models import AuthMethod, Connector
from connectors.oauth2 import definition
from connectors.oauth2.errors import ValidationFailed
from tenants import connecting
from tenants.models import Instance
from tests.connectors.oauth2.jwt_keys import form_of, key_for, pem, public_pem, verified
from tests.tenants.provider import answer

KEY = key_for("ES256")
DOCUMENT = {
    "kind": "connector",
    "key": "acme-api",
    "name": "Acme API",
    "auth_methods": [
        {
            "key": "service-account",
            "name": "Service account",
            "variables": [{"key": "private_key", "secret": True, "format": "multiline"}],
            "token_request": {
                "url": "https://auth.example.com/token",
                "client_authentication": "none",
                "assertion": {"algorithm": "ES256", "key": "{{private_key}}", "claims": {"sub": None}, "as": "grant"},
            },
        }
    ],
}


@pytest.fixture
def signing(db):
    store_connector(definition.Connector.model_validate(DOCUMENT))
    return AuthMethod.objects.get(connector__key="acme-api")


class Verifier:
    """A token endpoint that issues a token for an assertion that KEY signed and that it has not seen before."""

    def __init__(self):
        self.seen = set()

    def __call__(self, request):
        form = form_of(request)
        header, claims = verified(form["assertion"], KEY)
        assert (header["alg"], claims["aud"]) == ("ES256", "https://auth.example.com/token")
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        assert claims["iss"] == "svc-1"
        assert claims["jti"] not in self.seen
        self.seen.add(claims["jti"])
        return answer(200, {"access_token": f"token-{len(self.seen)}", "expires_in": 3600})


def test_a_document_with_an_assertion_survives_the_database(signing):
    assert connector_document(Connector.objects.get(key="acme-api")) == DOCUMENT


def test_every_token_is_asked_for_with_a_fresh_assertion(tenant, signing, clock):
    verifier = Verifier()
    values = {"client_id": "svc-1", "private_key": pem(KEY)}

    instance = connecting.connect(tenant, signing, values=values, send=verifier, clock=clock)
    connecting.check_now(instance, send=verifier, clock=clock)

    assert len(verifier.seen) == 2


def test_a_public_key_is_refused_before_anything_is_sent(tenant, signing, clock, provider):
    values = {"client_id": "svc-1", "private_key": public_pem(KEY)}

    with pytest.raises(ValidationFailed) as refused:
        connecting.connect(tenant, signing, values=values, send=provider, clock=clock)

    assert "public key" in refused.value.fields["private_key"]
    assert provider.requests == []
    assert not Instance.objects.exists()
