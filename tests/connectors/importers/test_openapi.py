"""OpenAPI descriptions become drafts that pass `connectors check`."""

import json
from copy import deepcopy

import pytest

from connectors.importers.draft import NotReadable
from connectors.importers.drafting import draft_of_text
from connectors.yaml_text import read_documents

THREE = {
    "openapi": "3.1.0",
    "info": {"title": "Acme Parcels", "description": "# Parcels\n\nTracks parcels. And more."},
    "externalDocs": {"url": "https://docs.acme.test/start"},
    "servers": [{"url": "https://api.acme.test/v2/"}],
    "components": {
        "securitySchemes": {
            "machine": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {
                        "tokenUrl": "https://login.acme.test/token",
                        "scopes": {"parcels.read": "See parcels", "parcels.write": "Change parcels"},
                    }
                },
            }
        }
    },
}
TWO = """\
swagger: '2.0'
info: {title: Old Acme, version: 1.10}
host: api.acme.test
basePath: /v1
schemes: [http, https]
securityDefinitions:
  app:
    type: oauth2
    flow: application
    tokenUrl: https://api.acme.test/oauth/token
    scopes: {read: ''}
  person:
    type: oauth2
    flow: accessCode
    tokenUrl: https://api.acme.test/oauth/token
    authorizationUrl: https://api.acme.test/oauth/authorize
paths:
  /parcels:
    get:
      responses:
        200: {description: ok}
"""


def three(**changes):
    return {**deepcopy(THREE), **changes}


def drafted(description, **options):
    text = description if isinstance(description, str) else json.dumps(description)
    return draft_of_text(text.encode(), **options)


def method(draft, index=0):
    return draft.document["auth_methods"][index]


def said(draft):
    return " ".join(draft.remarks)


def test_a_description_in_json_gives_a_document_that_can_be_imported():
    draft = drafted(THREE)

    assert draft.missing == ()
    assert draft.document["key"] == "acme-parcels"
    assert draft.document["description"] == "Tracks parcels."
    assert draft.document["documentation_url"] == "https://docs.acme.test/start"
    assert draft.document["base_url"] == "https://api.acme.test/v2"
    assert method(draft)["token_request"] == {"url": "https://login.acme.test/token"}


def test_its_yaml_is_read_back_as_the_same_document_with_the_remarks_above_it():
    draft = drafted(THREE)

    documents, findings = read_documents(draft.yaml.encode())

    assert findings == []
    assert documents[0].value == draft.document
    assert draft.yaml.startswith("# Drafted from an OpenAPI description.")
    assert "# - OpenAPI does not say how the client shows its ID and secret" in draft.yaml


def test_few_scopes_become_choices_with_what_they_mean():
    scope = method(drafted(THREE))["variables"][0]

    assert scope["choices"] == [
        {"value": "parcels.read", "label": "parcels.read: See parcels"},
        {"value": "parcels.write", "label": "parcels.write: Change parcels"},
        {"value": "parcels.read parcels.write", "label": "All of these"},
    ]


@pytest.mark.parametrize(
    "names", [[f"s{number}" for number in range(9)], ["view:{project}"]], ids=["many", "with gaps"]
)
def test_many_scopes_and_scopes_with_gaps_are_listed_in_the_help_text(names):
    description = three()
    flows = description["components"]["securitySchemes"]["machine"]["flows"]
    flows["clientCredentials"]["scopes"] = dict.fromkeys(names, "")

    scope = method(drafted(description))["variables"][0]

    assert "choices" not in scope
    assert all(name in scope["help_text"] for name in names)


def test_swagger_2_in_yaml_is_read_and_flows_of_people_are_listed():
    draft = drafted(TWO)

    assert draft.missing == ()
    assert draft.document["base_url"] == "https://api.acme.test/v1"
    assert [one["key"] for one in draft.document["auth_methods"]] == ["app"]
    assert "person has the flow accessCode" in said(draft)


def test_several_schemes_become_several_methods():
    description = three()
    schemes = description["components"]["securitySchemes"]
    schemes["Machine"] = deepcopy(schemes["machine"])

    draft = drafted(description)

    assert draft.missing == ()
    assert [one["key"] for one in draft.document["auth_methods"]] == ["machine", "machine-2"]


def test_a_server_variable_with_an_enum_becomes_a_choice():
    servers = [
        {
            "url": "https://{region}.acme.test/{version}",
            "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}, "version": {"default": "v3"}},
        }
    ]

    draft = drafted(three(servers=servers))

    assert draft.missing == ()
    assert draft.document["base_url"] == "https://{{region}}.acme.test/{{version}}"
    assert draft.document["variables"][0] == {
        "key": "region",
        "label": "Region",
        "choices": ["eu", "us"],
        "default": "eu",
    }


def test_a_default_that_only_shows_what_a_value_looks_like_is_an_example():
    about = {"default": "acme", "description": "The name of your tenant."}
    servers = [{"url": "https://{tenant}.acme.test", "variables": {"tenant": about}}]

    variable = drafted(three(servers=servers)).document["variables"][0]

    assert variable["example"] == "acme"
    assert "default" not in variable


@pytest.mark.parametrize(
    ("url", "variables", "base_url"),
    [
        ("https://api.acme.test{path}", {"path": {"default": "/a/v1"}}, "https://api.acme.test/a/v1"),
        (
            "{scheme}://api.acme.test",
            {"scheme": {"default": "http", "enum": ["http", "https"]}},
            "https://api.acme.test",
        ),
        ("https://api.acme.test:{port}/v1", {"port": {"default": "8443"}}, "https://api.acme.test:8443/v1"),
    ],
    ids=["several segments", "scheme", "port"],
)
def test_what_no_variable_can_stand_for_is_filled_in_and_said(url, variables, base_url):
    draft = drafted(three(servers=[{"url": url, "variables": variables}]))

    assert draft.missing == ()
    assert draft.document["base_url"] == base_url
    assert "can't be a variable here" in said(draft)


def test_several_servers_become_a_drop_down_and_those_without_tls_are_left_out():
    servers = [
        {"url": "https://api.acme.test", "description": "Production"},
        {"url": "https://sandbox.acme.test"},
        {"url": "http://api.acme.test"},
    ]

    draft = drafted(three(servers=servers))

    assert draft.missing == ()
    assert draft.document["base_url"] == "{{server}}"
    assert [choice["value"] for choice in draft.document["variables"][0]["choices"]] == [
        "https://api.acme.test",
        "https://sandbox.acme.test",
    ]
    assert "without TLS" in said(draft)


def test_relative_addresses_are_read_against_where_the_description_lies():
    description = three(servers=[{"url": "../v2"}])
    flows = description["components"]["securitySchemes"]["machine"]["flows"]
    flows["clientCredentials"]["tokenUrl"] = "/oauth/token"

    draft = drafted(description, location="https://api.acme.test/docs/openapi.json")

    assert draft.missing == ()
    assert draft.document["base_url"] == "https://api.acme.test/v2"
    assert method(draft)["token_request"]["url"] == "https://api.acme.test/oauth/token"
    assert "tokenUrl is relative" in said(draft)


def test_a_relative_server_of_a_pasted_description_is_asked_for():
    draft = drafted(three(servers=[{"url": "/api/v3"}]))

    assert draft.missing == ()
    assert draft.document["base_url"] == "{{site}}/api/v3"
    assert draft.document["variables"][0]["format"] == "url"


def test_a_relative_token_address_behind_a_host_with_variables_keeps_them():
    description = three(servers=[{"url": "https://{tenant}.acme.test/v2", "variables": {"tenant": {"default": ""}}}])
    flows = description["components"]["securitySchemes"]["machine"]["flows"]
    flows["clientCredentials"]["tokenUrl"] = "/oauth/token"

    draft = drafted(description)

    assert draft.missing == ()
    assert method(draft)["token_request"]["url"] == "https://{{tenant}}.acme.test/oauth/token"


def test_a_missing_token_address_is_said_to_be_missing_not_guessed():
    description = three()
    del description["components"]["securitySchemes"]["machine"]["flows"]["clientCredentials"]["tokenUrl"]

    draft = drafted(description)

    assert len(draft.missing) == 1
    assert "token_request" in draft.missing[0]
    assert "# Still to fill in:" in draft.yaml


def test_an_api_key_that_every_operation_wants_beside_the_token_is_sent_with_it():
    description = three(security=[{"machine": [], "key": []}])
    description["components"]["securitySchemes"]["key"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}

    draft = drafted(description)

    assert draft.missing == ()
    assert method(draft)["api_request"]["headers"] == {
        "Authorization": "Bearer {{access_token}}",
        "X-API-Key": "{{x_api_key}}",
    }
    assert {"key": "x_api_key", "label": "X API key", "secret": True} in method(draft)["variables"]


def test_an_api_key_that_only_some_operations_want_is_named_in_a_remark():
    paths = {"/a": {"get": {"security": [{"machine": []}]}, "post": {"security": [{"machine": [], "key": []}]}}}
    description = three(paths=paths)
    description["components"]["securitySchemes"]["key"] = {"type": "apiKey", "in": "query", "name": "k"}

    draft = drafted(description)

    assert "api_request" not in method(draft)
    assert "Some operations want key" in said(draft)


def test_without_client_credentials_there_is_no_method_but_a_remark():
    description = three()
    description["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}

    draft = drafted(description)

    assert draft.document["auth_methods"] == []
    assert "The scheme bearer (http bearer) was not read" in said(draft)
    assert "the draft has no method" in said(draft)


def test_local_references_are_followed_and_others_listed():
    description = three()
    schemes = description["components"]["securitySchemes"]
    description["components"]["x"] = schemes["machine"]
    description["components"]["securitySchemes"] = {
        "machine": {"$ref": "#/components/x"},
        "far": {"$ref": "other.yaml#/x"},
        "nowhere": {"$ref": "#/components/y"},
        "round": {"$ref": "#/components/securitySchemes/round"},
    }

    draft = drafted(description)

    assert [one["key"] for one in draft.document["auth_methods"]] == ["machine"]
    assert "other.yaml#/x stands in another file" in said(draft)
    assert "#/components/y leads nowhere" in said(draft)
    assert "leads back to itself" in said(draft)


def test_of_a_long_yaml_only_the_sections_that_matter_are_read():
    words = "        tokenUrl: https://wrong.test\n"
    path = f"  /p{{}}:\n    get:\n      description: |\n{words}      responses: {{{{200: {{{{}}}}}}}}\n"
    long = TWO.replace("paths:\n", "paths:\n" + "".join(path.format(number) for number in range(6_000)))

    draft = drafted(long + "x-more:\n  a: 1\n")

    assert len(long) > 500_000
    assert draft.missing == ()
    assert method(draft)["token_request"]["url"] == "https://api.acme.test/oauth/token"
    assert "paths and schemas were not read" in said(draft)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<!DOCTYPE html><title>Docs</title>", "This is a page"),
        ("just words", "neither JSON nor YAML that holds a description. Give an OpenAPI description"),
        ("a: &a [*a]", r"description\. Line 1: The alias \*a leads back to itself"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested more than"),
        ("hello: world", "neither an OpenAPI description"),
        (" \n", "The source is empty. Give an OpenAPI description"),
    ],
)
def test_what_is_no_description_is_refused_with_a_reason(text, why):
    with pytest.raises(NotReadable, match=why):
        drafted(text)


def test_aliases_that_multiply_are_refused_at_once():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
    )

    with pytest.raises(NotReadable, match="values"):
        drafted(bomb)


def test_many_remarks_are_cut_to_what_somebody_reads():
    description = three()
    description["components"]["securitySchemes"] |= {f"s{n}": {"type": "http", "scheme": "basic"} for n in range(49)}

    draft = drafted(description)

    assert len(draft.remarks) == 41
    assert draft.remarks[-1].startswith("… and ")


@pytest.mark.parametrize(
    "content", [b'{"' + b'\\"' * 2_000_000, b'{"' + b"[" * 4_000_000 + b'"', b"{" + b'"a' * 2_000_001]
)
def test_what_never_ends_is_judged_in_one_pass(content):
    with pytest.raises(NotReadable):
        draft_of_text(content)
