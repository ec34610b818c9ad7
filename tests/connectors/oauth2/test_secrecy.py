import pytest

from connectors.oauth2.checks import check_connector
from connectors.oauth2.problems import dotted
from tests.connectors.oauth2.definitions import connector_of

SHOP = {"key": "shop"}
OPERATOR = [
    {"key": "client_secret", "display": "hidden", "default_from_env": "ACME_SECRET"},
    {"key": "client_id", "display": "hidden", "default": "app"},
]
PER_SHOP = {"url": "https://{{shop}}.example.com/token"}


def refused(**parts):
    return [dotted(found.path) for found in check_connector(connector_of(**parts))]


def test_a_tenant_s_host_never_gets_the_operator_s_secret():
    assert refused(variables=[SHOP, *OPERATOR], token_request=PER_SHOP) == ["auth_methods[0].token_request.url"]


def test_says_who_names_the_host_and_which_secret_would_go_there():
    (problem,) = check_connector(connector_of(variables=[SHOP, *OPERATOR], token_request=PER_SHOP))

    assert "(shop)" in problem.message
    assert "(client_secret)" in problem.message
    assert "choices" in problem.remedy


def test_a_tenant_s_own_secret_may_go_to_a_tenant_s_host():
    assert refused(variables=[SHOP], token_request=PER_SHOP) == []


@pytest.mark.parametrize(
    "shop", [{"choices": ["a", "b"]}, {"display": "hidden", "default": "a"}, {"display": "read_only"}]
)
def test_a_host_that_the_tenant_only_chooses_is_the_operator_s(shop):
    assert refused(variables=[{**SHOP, **shop}, *OPERATOR], token_request=PER_SHOP) == []


def test_a_tenant_may_name_a_path():
    assert refused(variables=[SHOP, *OPERATOR], token_request={"url": "https://a.example/{{shop}}"}) == []


def test_a_default_is_looked_through():
    variables = [SHOP, {"key": "host", "display": "hidden", "default": "{{shop}}.example.com"}, *OPERATOR]

    assert refused(variables=variables, token_request={"url": "https://{{host}}/t"}) == [
        "auth_methods[0].token_request.url"
    ]


def test_the_base_url_is_looked_through():
    parts = {"base_url": "https://{{shop}}.example.com", "connector_variables": [SHOP], "variables": OPERATOR}

    assert refused(token_request={"url": "{{base_url}}/t"}, **parts) == ["auth_methods[0].token_request.url"]


def test_an_opening_address_counts_as_a_host():
    variables = [{"key": "site", "format": "url"}, *OPERATOR]

    assert refused(variables=variables, token_request={"url": "{{site}}/t"}) == ["auth_methods[0].token_request.url"]


@pytest.mark.parametrize(
    "place", [{"query": {"s": "{{app}}"}}, {"headers": {"X-S": "{{app}}"}}, {"body": {"s": "{{made}}"}}]
)
def test_a_secret_counts_wherever_it_is_sent(place):
    variables = [
        SHOP,
        {"key": "app", "secret": True, "display": "hidden", "default_from_env": "ACME_APP"},
        {"key": "made", "display": "hidden", "default": "{{app|base64}}"},
    ]
    request = {**PER_SHOP, "client_authentication": "none", **place}

    assert refused(variables=variables, token_request=request) == ["auth_methods[0].token_request.url"]


def test_api_requests_are_looked_at_too():
    parts = {
        "base_url": "https://{{shop}}.example.com",
        "connector_variables": [SHOP],
        "variables": [{"key": "app", "secret": True, "display": "hidden", "default_from_env": "ACME_APP"}],
        "api_request": {"headers": {"X-App": "{{app}}"}},
    }

    assert refused(**parts) == ["base_url"]


def test_a_host_from_the_answer_is_as_good_as_who_answers():
    parts = {
        "base_url": "{{response.site}}",
        "token_response": {"keep": ["site"]},
        "variables": [SHOP, {"key": "app", "secret": True, "display": "hidden", "default_from_env": "ACME_APP"}],
        "api_request": {"headers": {"X-App": "{{app}}"}},
    }

    assert refused(**parts) == []
    assert refused(token_request=PER_SHOP, **parts) == ["base_url"]


FIXED = {"url": "https://auth.example.com/token"}


@pytest.mark.parametrize(
    "base_url", ["https://{{shop}}/api", "https://api.{{shop}}/", "https://api-{{shop}}.com", "{{shop}}/v2"]
)
def test_a_token_of_the_operator_s_goes_to_no_host_that_a_tenant_types(base_url):
    shop = {**SHOP, "format": "url"} if base_url.startswith("{{") else SHOP
    found = refused(base_url=base_url, connector_variables=[shop], variables=OPERATOR, token_request=FIXED)

    assert found == ["base_url"]


@pytest.mark.parametrize("shop", [{"choices": ["a.example.com"]}, {"pattern": r"[a-z]+\.example\.com"}])
def test_a_host_that_is_held_to_a_list_or_a_pattern_may_get_it(shop):
    found = refused(
        base_url="https://{{shop}}/api", connector_variables=[{**SHOP, **shop}], variables=OPERATOR, token_request=FIXED
    )

    assert found == []


def test_a_tenant_s_part_of_the_provider_s_domain_may_get_it():
    base_url = "https://{{shop}}.example.com/api"

    assert refused(base_url=base_url, connector_variables=[SHOP], variables=OPERATOR, token_request=FIXED) == []


def test_a_token_that_the_tenant_s_own_secret_buys_may_go_where_the_tenant_says():
    assert refused(base_url="https://{{shop}}/api", connector_variables=[SHOP], token_request=FIXED) == []
