"""Set-up pages in the host's own look, under its own domain."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from integrations import colours, links, sessions
from integrations.models import Brand, Integration, Session
from tests.integrations.setup.conftest import session_of
from tests.integrations.setup.test_wizard import BAD, GOOD, send, walk

DOMAIN, OTHER_DOMAIN = "connect.acme.example", "setup.globex.example"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture
def branded(crm: Integration, settings) -> Integration:
    settings.CUSTOM_DOMAINS = [DOMAIN, OTHER_DOMAIN]
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, DOMAIN, OTHER_DOMAIN]
    Brand.objects.create(
        integration=crm,
        name="Acme Connect",
        logo=PNG,
        accent="#7a2aa0",
        header="#102a43",
        support_url="https://acme.example/help",
        custom_domain=DOMAIN,
    )
    return crm


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": DOMAIN}, raise_request_exception=False)


def mentions(response) -> list[str]:
    """Where the response says whose software it is."""
    text = response.text + repr(list(response.headers.items())) + repr(response.cookies)
    # The host's own redirect address is not ours.
    return re.findall(r"(?i).{0,20}latchkey.{0,20}", text.replace("from=latchkey", ""))


def test_pages_carry_the_brand_and_nothing_of_ours(branded, make_link, visitor, server):
    link = make_link()

    pages = [
        visitor.get(f"{link}steps/1/"),
        walk(visitor, send(visitor, f"{link}steps/1/", **BAD)),
        visitor.get("/setup/lks_nonsense/"),
        visitor.get("/nowhere/"),
        visitor.get("/"),
        visitor.get(f"{link}steps/9/"),
        visitor.post(f"{link}steps/1/", headers={"Origin": "https://evil.example"}),
        visitor.put(f"{link}steps/1/"),
    ]

    assert [page.status_code for page in pages] == [200, 200, 404, 404, 404, 404, 403, 405]
    for page in pages:
        assert "Acme Connect</title>" in page.text
        assert "https://acme.example/help" in page.text
        assert mentions(page) == []


def test_a_fault_shows_nothing_of_ours(branded, make_link, visitor, server, monkeypatch):
    link = make_link()
    monkeypatch.setattr("integrations.setup.steps.form_of", lambda *_, **__: 1 / 0)

    page = visitor.get(f"{link}steps/1/")

    assert page.status_code == 500
    assert "Something went wrong" in page.text
    assert mentions(page) == []


def test_what_pages_load_shows_nothing_of_ours(branded, make_link, visitor, server):
    page = visitor.get(f"{make_link()}steps/1/").text

    loaded = {*re.findall(r'(?:src|href)="(/[^"#]*\.(?:css|js|svg)[^"#]*|/setup/brand/[^"]*)', page)}
    assert len(loaded) >= 5
    for address in loaded:
        response = visitor.get(address)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code == 200
        assert b"latchkey" not in content.lower()


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/login/",
        "/admin/",
        "/admin/login/",
        "/api/v1/docs",
        "/api/v1/openapi.json",
        "/healthz",
        "/static/latchkey/logo.svg",
        "/static/admin/css/base.css",
        "/sandbox/",
    ],
)
def test_the_domain_serves_nothing_else(branded, visitor, address, db):
    visitor.force_login(User.objects.create_superuser("root"))

    assert visitor.get(address).status_code == 404


def test_the_domain_opens_no_other_integrations_links(branded, zoom, visitor, browser, server):
    other = Integration.objects.create(key="other", name="Other")
    other.components.create(name="meetings", connector=zoom.connector)
    Brand.objects.create(integration=other, accent="#112233", custom_domain=OTHER_DOMAIN)
    _, text = sessions.create(other, tenant="acme")

    assert visitor.get(f"/setup/{text}/steps/1/").status_code == 404
    assert visitor.get("/setup/brand/other/colours.css").status_code == 404
    assert browser.get(f"/setup/{text}/steps/1/", headers={"host": OTHER_DOMAIN}).status_code == 200
    assert browser.get(f"/setup/{text}/steps/1/").status_code == 200


def test_a_domain_that_nobody_has_serves_nothing(branded, make_link, browser, server):
    link = make_link()

    for address in (link, "/", "/admin/login/", "/setup/brand/crm-sync/logo"):
        response = browser.get(address, headers={"host": OTHER_DOMAIN})
        assert response.status_code == 404
        assert mentions(response) == []


def test_links_lead_to_the_domain(branded, settings):
    settings.PUBLIC_URL = "https://latchkey.example.com"

    assert links.url_of("lks_x", branded) == f"https://{DOMAIN}/setup/lks_x/"
    assert links.url_of("lks_x") == "https://latchkey.example.com/setup/lks_x/"


def test_the_form_is_taken_under_the_domain(branded, make_link, visitor, server):
    link = make_link()
    typed = {f"v-{key}": value for key, value in GOOD.items()}

    walk(visitor, visitor.post(f"{link}steps/1/", typed, headers={"Origin": f"http://{DOMAIN}"}))

    assert session_of(link).state == Session.State.COMPLETE


def test_a_brand_without_a_name_has_the_integrations(branded, make_link, browser, server):
    Brand.objects.update(name="", logo=b"", accent="", header="", custom_domain="")

    page = browser.get(f"{make_link()}steps/1/")

    assert "CRM sync</title>" in page.text
    assert mentions(page) == []


@pytest.mark.parametrize("accent", ["#7a2aa0", "#000000", "#1a6091", "#b0202c", "#0000ff"])
def test_colours_are_legible_in_light_and_dark(accent):
    assert colours.problem_with(accent) == ""
    sheet = colours.stylesheet(accent, "#ffcc00")

    found = re.findall(r"--accent: (#\w+); --accent-strong: \S+ --accent-ink: (#\w+); --accent-wash: (#\w+);", sheet)
    assert len(found) == 2
    papers = (("#ffffff", "#f5f6fa"), ("#0f121c", "#181c2a", "#212637"))
    for (one, ink, wash), behind in zip(found, papers, strict=True):
        assert min(colours.contrast(one, paper) for paper in (*behind, ink, wash)) >= 4.5


def test_a_pale_colour_is_refused_with_one_that_will_do():
    problem = colours.problem_with("#ffcc00")

    suggested = re.search(r"(#\w{6}) is near it", problem)
    assert suggested is not None
    assert colours.problem_with(suggested[1]) == ""
