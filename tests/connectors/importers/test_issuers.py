"""Authorization servers' metadata becomes drafts; where it is looked for."""

import json

import pytest

from connectors.importers.draft import NotReadable
from connectors.importers.drafting import draft_of_address, draft_of_text
from connectors.importers.fetching import fetcher
from connectors.importers.issuer import metadata_addresses
from connectors.oauth2.errors import AddressRefused
from connectors.oauth2.http import Headers, HttpResponse

ISSUER = "https://login.acme.test/tenants/one"
METADATA = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "grant_types_supported": ["client_credentials", "authorization_code"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post", "client_secret_basic"],
    "scopes_supported": ["openid", "parcels"],
    "service_documentation": "https://docs.acme.test",
}


class Web:
    """Answers by address, and what was asked for."""

    def __init__(self, pages):
        self.pages = pages
        self.asked = []
        self.limits = []

    def send(self, request, *, deadline, max_body):
        self.asked.append(request.url)
        self.limits.append((deadline, max_body))
        page = self.pages.get(request.url, 404)
        if isinstance(page, Exception):
            raise page
        if isinstance(page, int):
            return HttpResponse(page)
        if isinstance(page, str):
            return HttpResponse(302, Headers((("Location", page),)))
        return HttpResponse(200, body=json.dumps(page).encode())

    def draft(self, address, **options):
        return draft_of_address(address, fetch=fetcher(send=self.send), **options)


def drafted(**changes):
    return draft_of_text(json.dumps({**METADATA, **changes}).encode())


def token_request(draft):
    return draft.document["auth_methods"][0]["token_request"]


def said(draft):
    return " ".join(draft.remarks)


def test_metadata_gives_a_document_that_can_be_imported():
    draft = drafted()

    assert draft.missing == ()
    assert draft.document["name"] == "Acme"
    assert draft.document["documentation_url"] == "https://docs.acme.test"
    assert token_request(draft) == {"url": f"{ISSUER}/token", "client_authentication": "client_secret_basic"}
    assert draft.document["auth_methods"][0]["variables"] == [{"key": "scope", "choices": ["parcels"]}]
    assert "the server also offers private_key_jwt, client_secret_post" in said(draft)
    assert "about people signing in: openid" in said(draft)


def test_a_server_that_lists_no_authentication_takes_basic():
    draft = drafted(token_endpoint_auth_methods_supported=None)

    assert token_request(draft)["client_authentication"] == "client_secret_basic"
    assert "lists no client authentication" in said(draft)


def test_private_key_jwt_alone_asks_for_a_key_and_takes_an_algorithm_that_the_server_verifies():
    draft = drafted(
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=["PS512", "ES256"],
    )

    assert draft.missing == ()
    assert token_request(draft)["client_authentication"] == "private_key_jwt"
    assert token_request(draft)["assertion"] == {
        "algorithm": "ES256",
        "key": "{{private_key}}",
        "key_id": "{{key_id}}",
    }


def test_client_secret_jwt_alone_needs_no_further_variable():
    draft = drafted(token_endpoint_auth_methods_supported=["client_secret_jwt"])

    assert draft.missing == ()
    assert token_request(draft)["client_authentication"] == "client_secret_jwt"


def test_only_the_jwt_bearer_grant_makes_the_assertion_the_grant():
    draft = drafted(grant_types_supported=["urn:ietf:params:oauth:grant-type:jwt-bearer"])

    assert draft.missing == ()
    assert token_request(draft)["assertion"]["as"] == "grant"
    assert "client_credentials is not among the grant types" in said(draft)


def test_an_authentication_that_nobody_here_knows_is_said():
    draft = drafted(token_endpoint_auth_methods_supported=["spiffe_jwt"])

    assert "only spiffe_jwt, and none of them is supported here" in said(draft)


def test_further_abilities_of_the_server_are_listed():
    draft = drafted(
        dpop_signing_alg_values_supported=["ES256"],
        tls_client_certificate_bound_access_tokens=True,
        mtls_endpoint_aliases={"token_endpoint": "https://mtls.acme.test/token"},
    )

    assert draft.missing == ()
    assert "DPoP: ES256" in said(draft)
    assert "https://mtls.acme.test/token" in said(draft)


def test_a_token_endpoint_with_a_gap_becomes_a_variable():
    draft = drafted(token_endpoint="https://login.acme.test/{tenantid}/token")

    assert draft.missing == ()
    assert token_request(draft)["url"] == "https://login.acme.test/{{tenantid}}/token"


def test_the_well_known_part_goes_between_host_and_path():
    assert metadata_addresses(f"{ISSUER}/") == [
        "https://login.acme.test/.well-known/oauth-authorization-server/tenants/one",
        "https://login.acme.test/tenants/one/.well-known/openid-configuration",
        "https://login.acme.test/.well-known/openid-configuration/tenants/one",
        "https://login.acme.test/tenants/one/.well-known/oauth-authorization-server",
    ]


@pytest.mark.parametrize("place", range(4))
def test_metadata_is_found_at_each_of_the_places(place):
    found_at = metadata_addresses(ISSUER)[place]
    web = Web({found_at: METADATA})

    draft = web.draft(ISSUER)

    assert web.asked == [ISSUER, *metadata_addresses(ISSUER)[: place + 1]]
    assert draft.source == found_at
    assert "RFC 8414 section 3.3" not in said(draft)


def test_a_metadata_address_is_asked_as_it_stands():
    address = metadata_addresses(ISSUER)[0]
    web = Web({address: METADATA})

    draft = web.draft(address)

    assert web.asked == [address]
    assert draft.missing == ()


def test_another_issuer_than_the_one_asked_is_said():
    web = Web({metadata_addresses("https://other.test")[0]: METADATA})

    draft = web.draft("https://other.test", kind="issuer")

    assert f"its issuer is {ISSUER}, but it was found at https://other.test" in said(draft)


def test_redirects_are_followed_a_few_times_each_through_the_same_send():
    web = Web(
        {
            "https://acme.test/a": "/b",
            "https://acme.test/b": "https://docs.acme.test/c",
            "https://docs.acme.test/c": METADATA,
        }
    )

    draft = web.draft("https://acme.test/a")

    assert web.asked == ["https://acme.test/a", "https://acme.test/b", "https://docs.acme.test/c"]
    assert draft.source == "https://docs.acme.test/c"
    assert all(0 < deadline <= 30 and limit > 1 << 20 for deadline, limit in web.limits)


def test_redirects_without_end_are_given_up():
    web = Web({"https://acme.test/.well-known/a": "/.well-known/a"})

    with pytest.raises(NotReadable, match="redirects without end"):
        web.draft("https://acme.test/.well-known/a")


def test_an_address_that_the_guard_refuses_is_refused_in_its_words():
    web = Web(
        dict.fromkeys(["https://x.test", *metadata_addresses("https://x.test")], AddressRefused("No request was sent."))
    )

    with pytest.raises(NotReadable, match=r"No request was sent\."):
        web.draft("https://x.test")


def test_what_an_address_was_asked_with_is_in_no_message():
    with pytest.raises(NotReadable) as refused:
        Web({}).draft("https://acme.test/openapi.json?key=s3cret#part")

    assert "s3cret" not in str(refused.value)


def test_the_issuer_that_a_description_points_to_gives_a_method():
    description = {
        "openapi": "3.0.3",
        "info": {"title": "Acme"},
        "servers": [{"url": "https://api.acme.test"}],
        "components": {
            "securitySchemes": {
                "oidc": {"type": "openIdConnect", "openIdConnectUrl": f"{ISSUER}/.well-known/openid-configuration"}
            }
        },
    }
    web = Web({"https://acme.test/openapi.json": description, f"{ISSUER}/.well-known/openid-configuration": METADATA})

    draft = web.draft("https://acme.test/openapi.json")

    assert draft.missing == ()
    assert token_request(draft)["url"] == f"{ISSUER}/token"


def test_without_a_way_to_ask_the_issuer_is_only_named():
    description = {
        "openapi": "3.0.3",
        "info": {"title": "Acme"},
        "components": {"securitySchemes": {"oidc": {"type": "openIdConnect", "openIdConnectUrl": ISSUER}}},
    }

    draft = draft_of_text(json.dumps(description).encode())

    assert f"points to the issuer {ISSUER}, which was not asked" in said(draft)


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_a_client_certificate_alone_asks_for_it_and_goes_to_the_alias(method):
    draft = drafted(
        token_endpoint_auth_methods_supported=[method],
        mtls_endpoint_aliases={"token_endpoint": "https://mtls.acme.test/token"},
    )

    assert draft.missing == ()
    assert token_request(draft) == {
        "url": "https://mtls.acme.test/token",
        "client_authentication": method,
        "tls": {"certificate": "{{certificate}}", "private_key": "{{private_key}}"},
    }
