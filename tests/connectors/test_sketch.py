"""A token request as a person reads it, before there is any value."""

from connectors.oauth2.definition import Connector
from connectors.oauth2.method import Method
from connectors.sketch import sketch


def method(**request):
    one = {
        "key": "m",
        "name": "M",
        "variables": [{"key": "key", "secret": True}, {"key": "certificate"}],
        "token_request": {"url": "https://auth.example.com/token", **request},
    }
    connector = Connector.model_validate({"kind": "connector", "key": "c", "name": "C", "auth_methods": [one]})
    return Method(connector, connector.auth_methods[0])


def test_names_stand_where_values_will_and_defaults_where_they_are_plain():
    assert sketch(method()) == (
        "POST https://auth.example.com/token\n"
        "Content-Type: application/x-www-form-urlencoded\n"
        "\n"
        "grant_type=client_credentials\n"
        "scope=[Scope] (left out when empty)\n"
        "client_id=[Client ID]\n"
        "client_secret=[Client secret]"
    )


def test_without_a_body_the_credentials_stand_in_the_query():
    said = sketch(method(method="GET", body_format="none", query={"v": 2}))

    assert said == (
        "GET https://auth.example.com/token\n  ?v=2\n  &client_id=[Client ID]\n  &client_secret=[Client secret]"
    )


def test_a_client_certificate_is_told():
    tls = {"certificate": "{{certificate}}", "private_key": "{{key}}"}
    said = sketch(method(client_authentication="tls_client_auth", tls=tls))

    assert "(over TLS with the client certificate)" in said
    assert said.endswith("client_id=[Client ID]")
    assert "secret" not in said


def test_steps_come_first_and_what_they_keep_stands_as_its_placeholder():
    step = {"key": "login", "url": "https://auth.example.com/login", "keep": {"session": "s"}, "body": {"u": "{{key}}"}}
    connector = method(headers={"X-Session": "{{login.session}}"}, body={}, dpop=True).connector
    one = {**connector.auth_methods[0].stated(), "steps": [step]}
    connector = Connector.model_validate({**connector.stated(), "auth_methods": [one]})

    assert sketch(Method(connector, connector.auth_methods[0])) == (
        "# Step login, whose answer gives {{login.session}}\n"
        "POST https://auth.example.com/login\n"
        "Content-Type: application/x-www-form-urlencoded\n"
        "\n"
        "u=[Key]\n"
        "\n"
        "# Token request\n"
        "POST https://auth.example.com/token\n"
        "Content-Type: application/x-www-form-urlencoded\n"
        "X-Session: {{login.session}}\n"
        "DPoP: [a proof signed anew each time]\n"
        "\n"
        "client_id=[Client ID]\n"
        "client_secret=[Client secret]"
    )
