"""Client certificates on a method's page, and the operator's values: looked at while they can be mended at once."""

import itertools

import pytest

from connectors.models import Variable
from tests.connectors.client_pki import certified, client, self_signed
from tests.connectors.oauth2.jwt_keys import key_for, pem, public_pem


@pytest.fixture
def presenting(plain):
    """A method whose certificate is the operator's."""
    for position, key in enumerate(("certificate", "private_key"), 9):
        Variable.objects.create(
            auth_method=plain,
            key=key,
            position=position,
            display="hidden",
            format="multiline",
            secret=key == "private_key",
            stated=[],
            operator_value=client().chain if key == "certificate" else client().private_key,
        )
    plain.token_request = {
        "url": "https://auth.example.com/token",
        "client_authentication": "tls_client_auth",
        "tls": {"certificate": "{{certificate}}", "private_key": "{{private_key}}"},
    }
    plain.save()
    return plain


def operator_field(method, key):
    return f"variables-{list(method.variables.values_list('key', flat=True)).index(key)}-operator_value"


def row_errors(response, method, key):
    formset = response.context["inline_admin_formsets"][0].formset
    return str(formset.forms[list(method.variables.values_list("key", flat=True)).index(key)].errors)


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("private_key", public_pem(key_for("ES256")), "public key"),
        ("private_key", "garbage", "neither a PEM key"),
        ("private_key", self_signed().private_key, "does not belong to the certificate"),
        ("certificate", certified("old", from_days=-9, to_days=-8).chain, "expired on"),
        ("certificate", "garbage", "no certificate in PEM"),
    ],
    ids=itertools.count(),
)
def test_an_operators_certificate_or_key_is_looked_at_when_it_is_typed(page, presenting, key, typed, said):
    before = presenting.variables.get(key=key).operator_value

    response = page.save(presenting, {operator_field(presenting, key): typed})

    assert said in row_errors(response, presenting, key)
    assert presenting.variables.get(key=key).operator_value == before
    assert typed not in response.content.decode()


def test_a_certificate_that_the_stored_key_does_not_fit_is_refused(page, presenting):
    response = page.save(presenting, {operator_field(presenting, "certificate"): self_signed().chain})

    assert "does not belong to the certificate" in row_errors(response, presenting, "private_key")


def test_an_operators_new_certificate_and_key_are_taken_together(page, presenting):
    response = page.save(
        presenting,
        {
            operator_field(presenting, "certificate"): self_signed().chain,
            operator_field(presenting, "private_key"): self_signed().private_key,
        },
    )

    assert response.status_code == 302
    assert presenting.variables.get(key="certificate").operator_value == self_signed().chain.strip()


def test_an_operators_key_of_an_assertion_is_looked_at_when_it_is_typed(page, plain):
    Variable.objects.create(
        auth_method=plain, key="pk", position=9, display="hidden", secret=True, format="multiline", stated=[]
    )
    plain.token_request["client_authentication"] = "private_key_jwt"
    plain.token_request["assertion"] = {"key": "{{pk}}"}
    plain.save()

    response = page.save(plain, {operator_field(plain, "pk"): pem(key_for("ES256"))})

    assert "needs an RSA key" in row_errors(response, plain, "pk")


def test_an_operators_value_of_a_connector_is_looked_at_when_it_is_typed(page, zoom):
    Variable.objects.create(
        connector=zoom, key="site", position=9, display="hidden", stated=[], pattern="[a-z]+", operator_value="abc"
    )
    index = list(zoom.variables.values_list("key", flat=True)).index("site")

    response = page.save(zoom, {f"variables-{index}-operator_value": "123"})

    formset = response.context["inline_admin_formsets"][0].formset
    assert "expected form" in str(formset.forms[index].errors["operator_value"])


def test_a_certificate_without_a_key_is_refused_beside_its_field(page, plain):
    response = page.save(plain, {"tls_certificate": "{{client_id}}"})

    assert "private_key` is missing" in str(response.context["adminform"].form.errors["tls_private_key"])


def test_a_method_of_tls_without_a_certificate_is_refused_beside_its_field(page, plain):
    response = page.save(plain, {"client_authentication": "tls_client_auth"})

    assert "needs a certificate" in str(response.context["adminform"].form.errors["tls_certificate"])


def test_a_certificate_is_taken_away_by_emptying_both_fields(page, presenting):
    response = page.save(
        presenting, {"client_authentication": "client_secret_basic", "tls_certificate": "", "tls_private_key": ""}
    )

    presenting.refresh_from_db()
    assert response.status_code == 302
    assert "tls" not in presenting.token_request
