"""An integration's brand in the admin."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from integrations.admin.brand import BrandForm
from integrations.models import Brand, Integration

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture
def crm(db) -> Integration:
    return Integration.objects.create(key="crm-sync", name="CRM sync")


def form(crm, *, logo=None, **values):
    files = {"logo_file": SimpleUploadedFile("logo.png", logo)} if logo else {}
    return BrandForm(values, files, instance=Brand(integration=crm))


def test_a_brand_is_saved_with_its_logo(crm, settings):
    settings.CUSTOM_DOMAINS = [".acme.example"]
    checked = form(
        crm,
        name="Acme",
        accent="#7A2AA0",
        support_url="mailto:help@acme.example",
        custom_domain="C.acme.example",
        logo=PNG,
    )

    assert checked.is_valid(), checked.errors
    checked.save()

    brand = Brand.objects.get()
    assert (brand.accent, brand.custom_domain, bytes(brand.logo)) == ("#7a2aa0", "c.acme.example", PNG)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"accent": "#ffcc00"}, "hard to read"),
        ({"accent": "red"}, "six hexadecimal digits"),
        ({"header": "#1234;}"}, "six hexadecimal digits"),
        ({"support_url": "javascript:alert(1)"}, "https address"),
        ({"support_url": "http://acme.example"}, "https address"),
        ({"custom_domain": "https://acme.example"}, "host name"),
        ({"custom_domain": "acme.example"}, "CUSTOM_DOMAINS"),
        ({"logo": b"<svg onload=alert(1)>"}, "no PNG"),
        ({"logo": PNG + b"0" * 70_000}, "64 KB"),
    ],
)
def test_what_cannot_be_shown_is_refused(crm, values, words):
    (messages,) = form(crm, **values).errors.values()

    assert words in " ".join(messages)


def test_the_admin_shows_and_saves_the_brand(crm, admin_client):
    address = f"/admin/integrations/integration/{crm.pk}/change/"
    page = admin_client.get(address)
    assert "brand of the set-up pages" in page.text.lower()
    data = {
        "name": "CRM sync",
        "allowed_redirects": "",
        "allowed_origins": "",
        "components-TOTAL_FORMS": "0",
        "components-INITIAL_FORMS": "0",
        "brand-TOTAL_FORMS": "1",
        "brand-INITIAL_FORMS": "0",
        "brand-0-integration": crm.pk,
        "brand-0-name": "Acme",
        "brand-0-logo_file": SimpleUploadedFile("logo.png", PNG),
    }

    response = admin_client.post(address, data)

    assert response.status_code == 302, response.context["errors"]
    assert bytes(crm.brand.logo) == PNG
