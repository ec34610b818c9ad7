"""What the form asks for and shows, and how it is read."""

from datetime import UTC, datetime

import pytest
from django.http import QueryDict

from connectors.definitions import definition_of
from connectors.models import AuthMethod, Variable
from tenants.wizard.forms import MethodForm, form_of, read
from tests.tenants.wizard.rows import NOW, add_variable


def _form(method: AuthMethod, values: dict[str, str] | None = None, **errors: str) -> MethodForm:
    method.refresh_from_db()
    set_at = dict.fromkeys(values or {}, NOW.isoformat())
    return form_of(definition_of(method), values or {}, set_at, errors=errors, now=NOW)


def _field(method: AuthMethod, key: str, values: dict[str, str] | None = None, **errors: str):
    return next(one for one in _form(method, values, **errors).fields if one.key == key)


def _read(method: AuthMethod, posted: str) -> dict[str, str | None]:
    method.refresh_from_db()
    return read(definition_of(method).method, QueryDict(posted))


def test_advanced_fields_are_folded_away(method: AuthMethod) -> None:
    form = _form(method)

    assert [one.key for one in form.basic] == ["scope", "client_id", "client_secret"]
    assert [one.key for one in form.advanced] == ["grant_type", "token_key"]
    assert not form.opens_advanced


def test_an_error_opens_the_advanced_fields(method: AuthMethod) -> None:
    assert _form(method, grant_type="Wrong.").opens_advanced


def test_a_secret_never_comes_back(method: AuthMethod) -> None:
    field = _field(method, "client_secret", {"client_secret": "hush"})

    assert field.value == ""
    assert field.is_stored
    assert field.set_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert "hush" not in repr(_form(method, {"client_secret": "hush"}))


def test_a_hidden_variable_is_not_there(method: AuthMethod) -> None:
    add_variable(method, "internal", display="hidden", default="unseen-value")

    form = _form(method)

    assert "unseen-value" not in repr((form.fields, form.fixed))
    assert "internal" not in [one.key for one in form.fields]


def test_a_read_only_variable_shows_the_operators_value(method: AuthMethod) -> None:
    add_variable(method, "region", display="read_only", default="us", operator_value="eu")

    (fixed,) = _form(method).fixed

    assert (fixed.value, fixed.note) == ("eu", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": True, "operator_value": "hush"},
        {"secret": False, "default": "Bearer {{client_secret}}"},
    ],
)
def test_a_read_only_secret_says_who_set_it(method: AuthMethod, fields: dict) -> None:
    add_variable(method, "platform_key", display="read_only", **fields)

    (fixed,) = _form(method, {"client_secret": "hush"}).fixed

    assert (fixed.value, fixed.note) == ("", "Set by the administrator")


@pytest.mark.parametrize(
    ("default", "values", "said"),
    [
        ("https://{{client_id}}.example", {"client_id": "acme"}, "Left empty, it is https://acme.example"),
        ("https://{{client_id}}.example", {}, "Left empty, it is made from Client ID."),
        ("{{client_id}}:{{client_secret}}", {"client_secret": "hush"}, "Left empty, it is made from other values."),
        ("{{uuid()}}", {}, "Left empty, it is made anew each time."),
    ],
)
def test_a_default_that_is_a_template_is_shown_as_what_it_comes_to(
    method: AuthMethod, default: str, values: dict[str, str], said: str
) -> None:
    add_variable(method, "audience", default=default)

    field = _field(method, "audience", values)

    assert (field.left_empty, field.value, field.is_required_by_browser) == (said, "", False)


def test_a_browser_is_not_asked_to_check_what_is_folded_away(method: AuthMethod) -> None:
    add_variable(method, "host", display="advanced", pattern="[a-z]+")

    field = _field(method, "host")

    assert (field.is_required_by_browser, field.browser_pattern) == (False, "")


def test_a_secret_left_empty_stays(method: AuthMethod) -> None:
    assert "client_secret" not in _read(method, "v-client_secret=&v-client_id=x")


def test_an_optional_secret_can_be_taken_away(method: AuthMethod) -> None:
    add_variable(method, "webhook_secret", secret=True, required=False)

    assert _field(method, "webhook_secret", {"webhook_secret": "hush"}).clear_name
    assert not _field(method, "client_secret", {"client_secret": "hush"}).clear_name
    assert _read(method, "v-webhook_secret=&clear-webhook_secret=1") == {"webhook_secret": None}


def test_a_value_like_the_default_goes_on_following_the_definition(method: AuthMethod) -> None:
    assert _read(method, "v-grant_type=client_credentials") == {"grant_type": None}


def test_an_emptied_field_is_meant_empty(method: AuthMethod) -> None:
    assert _read(method, "v-grant_type=") == {"grant_type": ""}


def test_what_is_not_the_users_to_set_is_not_read(method: AuthMethod) -> None:
    add_variable(method, "internal", display="hidden", required=False)
    add_variable(method, "region", display="read_only", required=False)

    assert _read(method, "v-internal=x&v-region=y&v-nothing=z") == {}


def test_spaces_around_a_value_are_not_part_of_it(method: AuthMethod) -> None:
    Variable.objects.filter(auth_method=method, key="scope").update(format="multiline")
    AuthMethod.objects.filter(pk=method.pk).touch()

    typed = _read(method, "v-client_id=+x%09&v-scope=a%0D%0Ab%0D%0A")

    assert typed == {"client_id": "x", "scope": "a\nb\n"}
