"""What makes no good definition is refused beside the field where it stands; nothing typed is lost or stored."""

import pytest
from django.urls import reverse

from connectors.models import Variable
from tests.admin_forms import form_in


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token_url", "https://example.com/{{nothing}}"),
        ("headers-0-value", "{{nothing}}"),
        ("query-0-value", "{{nothing}}"),
        ("body-0-value", "{{nothing}}"),
        ("api_headers-0-value", "{{nothing}}"),
        ("access_token_path", "{{nothing}}"),
        ("test_url", "https://example.com/{{nothing}}"),
        ("assertion", '{"key": "{{nothing}}"}'),
    ],
)
def test_a_placeholder_that_names_nothing_is_refused_beside_its_field(page, method, exported, field, value):
    before = exported("zoom")

    response = page.save(method, {field: value, "name": "Typed"})

    errors = response.context["adminform"].form.errors
    assert "{{nothing}} names nothing here" in str(errors[field.split("-")[0]])
    assert "account_id" in str(errors[field.split("-")[0]])  # the names that exist
    assert form_in(response, "authmethod_form")[field] == value
    assert form_in(response, "authmethod_form")["name"] == "Typed"
    assert exported("zoom") == before


@pytest.mark.parametrize("typed", ["{", '{"lifetime": NaN}', "[" * 100_000])
def test_an_assertion_that_is_no_json_is_refused_beside_its_field(page, method, typed):
    response = page.save(method, {"assertion": typed})

    assert "This is no JSON" in str(response.context["adminform"].form.errors["assertion"])


@pytest.mark.parametrize("typed", ["5", '{"lifetime": "x"}', '{"kye": "x"}'])
def test_a_wrong_assertion_is_refused_beside_its_field(page, method, typed):
    response = page.save(method, {"client_authentication": "client_secret_jwt", "assertion": typed})

    assert "assertion" in response.context["adminform"].form.errors


def test_a_wrong_default_is_refused_in_its_row(page, method):
    index = list(method.variables.values_list("key", flat=True)).index("account_id")

    response = page.save(method, {f"variables-{index}-default": "{{nothing}}"})

    formset = response.context["inline_admin_formsets"][0].formset
    assert "names nothing" in str(formset.forms[index].errors["default"])


def test_a_choice_that_is_there_twice_is_refused_in_its_row(page, method):
    index = list(method.variables.values_list("key", flat=True)).index("account_id")

    response = page.save(method, {f"variables-{index}-choices": "eu\r\nus\r\neu"})

    formset = response.context["inline_admin_formsets"][0].formset
    assert "The choice “eu” is there twice." in str(formset.forms[index].errors["choices"])


def test_a_new_variable_can_be_used_at_once(page, method):
    count = method.variables.count()
    new = {"key": "audience", "label": "", "default": "", "display": "editable", "format": "text", "required": "on"}

    response = page.save(
        method,
        {
            "variables-TOTAL_FORMS": str(count + 1),
            **{f"variables-{count}-{name}": value for name, value in new.items()},
            "query-9-name": "audience",
            "query-9-value": "{{audience}}",
        },
    )

    assert response.status_code == 302
    assert list(method.variables.all())[-1].key == "audience"


def test_a_variable_that_is_still_used_cannot_go(page, method):
    index = list(method.variables.values_list("key", flat=True)).index("account_id")

    response = page.save(method, {f"variables-{index}-DELETE": "on"})

    assert "account_id" in str(response.context["adminform"].form.errors["body"])
    assert method.variables.filter(key="account_id").exists()


def test_a_problem_of_a_method_is_told_on_the_connectors_page(page, zoom, exported):
    before = exported("zoom")

    response = page.save(zoom, {"base_url": ""})

    assert "base_url" in str(response.context["adminform"].form.non_field_errors())
    assert exported("zoom") == before


def test_broken_json_is_refused(page, plain):
    response = page.save(plain, {"body_format": "json", "body_text": '{"a": '})

    assert "This is no JSON" in str(response.context["adminform"].form.errors["body_text"])


def test_a_forged_post_changes_no_key(page, method, zoom):
    variable = method.variables.get(key="account_id")
    index = list(method.variables.values_list("key", flat=True)).index("account_id")

    page.save(method, {"key": "forged", f"variables-{index}-key": "forged", "connector": "1"})
    page.save(zoom, {"key": "forged"})

    method.refresh_from_db()
    variable.refresh_from_db()
    zoom.refresh_from_db()
    assert (method.key, variable.key, zoom.key) == ("server-to-server", "account_id", "zoom")


def test_a_forged_post_deletes_none_of_the_five(page, method):
    page.save(method, {f"variables-{index}-DELETE": "on" for index in range(5)})

    assert method.variables.filter(key="token_key").exists()
    assert method.variables.filter(key="scope").exists()


def test_another_variable_can_be_deleted(page, plain):
    Variable.objects.create(auth_method=plain, key="extra", position=9, stated=[])
    index = plain.variables.count() - 1

    response = page.save(plain, {f"variables-{index}-DELETE": "on"})

    assert response.status_code == 302
    assert not plain.variables.filter(key="extra").exists()


def test_an_operators_value_is_never_shown_again(page, plain):
    secret = "operators-own-secret"
    Variable.objects.create(
        auth_method=plain, key="api_key", position=9, display="hidden", secret=True, stated=[], operator_value=secret
    )
    index = plain.variables.count() - 1

    kept = page.save(plain, {"token_url": "https://other.example.com/token"})
    html = page.client.get(page.address(plain)).content.decode()

    assert kept.status_code == 302
    assert secret not in html
    assert plain.variables.get(key="api_key").operator_value == secret
    page.save(plain, {f"variables-{index}-operator_value": "the-next-one"})
    assert plain.variables.get(key="api_key").operator_value == "the-next-one"
    assert plain.variables.get(key="api_key").operator_value_set_at is not None
    history = page.client.get(reverse("admin:connectors_authmethod_history", args=(plain.pk,))).content.decode()
    assert "the-next-one" not in history


def test_a_refused_operators_value_is_not_echoed(page, plain):
    Variable.objects.create(auth_method=plain, key="api_key", position=9, display="hidden", stated=[], default="x")
    index = plain.variables.count() - 1

    response = page.save(plain, {f"variables-{index}-operator_value": "typed-secret", "token_url": "nonsense"})

    assert response.status_code == 200
    assert "typed-secret" not in response.content.decode()


def test_a_variable_that_nothing_uses_is_shown_as_such(page, plain):
    page.save(plain, {"body-1-name": None, "body-1-value": None})

    html = page.client.get(page.address(plain)).content.decode()
    assert "scope · not used" in html
    assert "client_id · not used" not in html


def test_saving_draws_a_new_revision(page, zoom, method):
    first = method.revision

    page.save(method)
    method.refresh_from_db()
    second = method.revision
    page.save(zoom)
    method.refresh_from_db()

    assert len({first, second, method.revision}) == 3


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("- key: [", "Line "),
        ("- key: a\n  url: {{x}}", "Line 2"),
        ("a: 1\n---\nb: 2", "Write one list"),
        ("key: a\nurl: https://a.example.com", "list"),
        ("- key: a\n  url: https://a.example.com/{{nothing}}", "Step 1, url: {{nothing}} names nothing here"),
        ("- key: a\n  url: https://a.example.com\n  kep: {}", "kep"),
        ("- key: client_id\n  url: https://a.example.com", "a variable already"),
        (
            "\n".join(f"- {{key: a{n}, url: 'https://a.example.com'}}" for n in range(4)),
            "These are 4, but there can be 3 at most",
        ),
        ("5", "list"),
    ],
)
def test_steps_that_can_t_work_are_refused_beside_their_field(page, method, exported, typed, said):
    before = exported("zoom")

    response = page.save(method, {"steps_text": typed})

    assert said in str(response.context["adminform"].form.errors["steps_text"])
    assert form_in(response, "authmethod_form")["steps_text"].replace("\r\n", "\n").strip() == typed
    assert exported("zoom") == before
