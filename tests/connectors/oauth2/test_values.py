from datetime import UTC, datetime

import pytest

from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.values import check_complete, check_given, check_value, missing, resolve, secrets_of
from tests.connectors.oauth2.definitions import CREDENTIALS, NOW, ONE_UUID, given, method_of


def value_of(key, variable, operator=None, values=None):
    method = method_of(variables=[{"key": key, **variable}])
    return given(method, operator, **values or {}).values[key]


def test_what_is_given_comes_first_then_the_operator_then_the_default():
    variable = {"default": "d", "display": "hidden"}

    assert value_of("a", variable, {"a": "o"}, {"a": "g"}) == "g"
    assert value_of("a", variable, {"a": "o"}) == "o"
    assert value_of("a", variable) == "d"
    assert value_of("a", {"required": False}) == ""


@pytest.mark.parametrize("display", ["read_only", "hidden"])
def test_the_operator_supplies_what_a_tenant_does_not_type(display):
    assert value_of("a", {"display": display}, {"a": "o"}) == "o"


@pytest.mark.parametrize("display", ["editable", "advanced"])
def test_an_operator_s_value_is_nothing_to_what_a_tenant_types(display):
    assert value_of("a", {"display": display, "default": "d"}, {"a": "o"}) == "d"


def test_an_empty_operator_s_value_is_none():
    assert value_of("a", {"display": "hidden", "default": "d"}, {"a": ""}) == "d"


def test_an_empty_value_that_was_given_is_meant():
    assert value_of("a", {"default": "d"}, values={"a": ""}) == ""


def test_defaults_are_templates_over_the_others():
    method = method_of(
        connector_variables=[{"key": "region", "default": "eu"}],
        variables=[
            {"key": "site", "default": "https://{{host}}/{{client_id|lower}}"},
            {"key": "host", "default": "{{region}}.example.com"},
        ],
    )

    assert given(method, client_id="ID").values["site"] == "https://eu.example.com/id"
    assert given(method, region="us").values["host"] == "us.example.com"


def test_defaults_may_lead_on_for_ever():
    variables = [{"key": f"v{n}", "default": f"{{{{v{n + 1}}}}}"} for n in range(1500)]

    assert given(method_of(variables=[*variables, {"key": "v1500", "default": "end"}])).values["v0"] == "end"


def test_a_value_that_is_given_is_no_template():
    assert value_of("a", {}, values={"a": "{{client_secret}}"}) == "{{client_secret}}"


def test_every_default_reads_the_same_instant():
    method = method_of(variables=[{"key": "day", "default": '{{now("%F")}}'}, {"key": "id", "default": "{{uuid()}}"}])

    resolved = resolve(method, CREDENTIALS, {}, now=datetime(2030, 1, 1, tzinfo=UTC), uuid=ONE_UUID)

    assert (resolved.values["day"], resolved.values["id"]) == ("2030-01-01", str(ONE_UUID))


def test_the_supplied_defaults_are_the_contract_s():
    resolved = resolve(method_of(), {}, {}, now=NOW, uuid=ONE_UUID)

    assert dict(resolved.values) == {
        "scope": "",
        "grant_type": "client_credentials",
        "client_id": "",
        "client_secret": "",
        "token_key": "access_token",
    }


def test_says_which_required_values_are_missing():
    method = method_of(variables=[{"key": "account", "label": "Account"}, {"key": "note", "required": False}])
    resolved = resolve(method, {"client_id": "x"}, {}, now=NOW, uuid=ONE_UUID)

    assert [variable.key for variable in missing(method, resolved)] == ["client_secret", "account"]
    with pytest.raises(ValidationFailed) as refused:
        check_complete(method, resolved)
    assert set(refused.value.fields) == {"client_secret", "account"}
    assert "Client secret, Account" in refused.value.what


def test_sends_a_user_to_the_administrator_for_what_only_that_one_can_set():
    method = method_of(variables=[{"key": "app", "display": "read_only"}])

    with pytest.raises(ValidationFailed, match="administrator of this platform"):
        check_complete(method, given(method))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({}, "anything ü 😀 \t"),
        ({"format": "multiline"}, "line\r\nline"),
        ({"pattern": "[a-z]+"}, "abc"),
        ({"pattern": "[a-z]+"}, ""),
        ({"choices": ["eu", {"value": "us", "label": "United States"}]}, "us"),
        ({"format": "url"}, "https://a.example:8443/x/"),
        ({"format": "hostname"}, "A.example"),
    ],
)
def test_takes_a_value(variable, value):
    assert check_given(method_of(variables=[{"key": "a", **variable}]), {"a": value}) == {}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({}, "line\nline"),
        ({}, "null\x00byte"),
        ({}, "delete\x7f"),
        ({}, "half\ud800"),
        ({"format": "multiline"}, "bell\x07bell"),
        ({}, "y" * 65_537),
        ({"pattern": "[a-z]+"}, "abc1"),
        ({"pattern": "abc|d"}, "abcx"),
        ({"pattern": "[a-z]+", "example": "xyz"}, "ABC"),
        ({"choices": ["eu", "us"]}, "asia"),
        ({"format": "url"}, "a.example"),
        ({"format": "url"}, "https://a.example/?q=1"),
        ({"format": "hostname"}, "https://a.example"),
        ({"format": "hostname"}, "a_b.example"),
    ],
)
def test_says_what_is_wrong_without_repeating_the_value(variable, value):
    problems = check_given(method_of(variables=[{"key": "a", **variable}]), {"a": value})

    assert set(problems) == {"a"}
    assert problems["a"].endswith(".")
    assert value not in problems["a"]


def test_names_the_variables_where_one_does_not_exist():
    assert "client_id" in check_given(method_of(), {"cleint_id": "x"})["cleint_id"]


def test_values_of_unused_supplied_variables_are_no_mistake():
    method = method_of(token_response={"access_token": "token"})

    assert check_given(method, {"token_key": "x"}) == {}


def test_the_default_counts_as_what_check_value_takes():
    variable = method_of(variables=[{"key": "a", "choices": ["x"]}]).by_key["a"]

    assert check_value(variable, "x") == ""
    assert "x" in check_value(variable, "y")


def test_secrets_are_what_is_marked_and_what_is_made_of_it():
    method = method_of(
        variables=[{"key": "pair", "display": "hidden", "default": "{{(client_id ~ client_secret)|base64}}"}]
    )
    resolved = given(method)

    assert set(secrets_of(method, resolved.values)) == {"the-secret", resolved.values["pair"]}
