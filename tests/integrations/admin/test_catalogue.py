"""The catalogue in the admin: browse, search, look, add; who may do none of it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from connectors import ready_made
from connectors.adopting import add
from connectors.models import CatalogueOrigin, Connector
from integrations.admin.catalogue.entries import title_of
from integrations.admin.catalogue.preview import previews
from tests.connectors.catalogue_versions import as_if_older

BROWSE = reverse("catalogue:browse")
ENTRY = reverse("catalogue:entry", args=("zoom",))


@pytest.fixture
def viewer(client, db):
    """May look at connectors, and nothing else."""
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_connector"))
    client.force_login(user)
    return client


def names(response):
    return [entry.document.key for _, group in response.context["groups"] for entry in group]


def test_every_entry_is_listed_by_category_with_counts(admin_client):
    response = admin_client.get(BROWSE)

    assert sorted(names(response)) == ready_made.keys()
    counts = {title: count for _, title, count in response.context["categories"]}
    assert {name: len(group) for name, group in response.context["groups"]} == counts
    assert sum(counts.values()) == len(ready_made.keys())


@pytest.mark.parametrize("words", ["zoom", "ZOOM", "webinars meetings", "communication zoom"])
def test_it_is_searched_by_name_key_description_and_category(admin_client, words):
    assert "zoom" in names(admin_client.get(BROWSE, {"q": words}))


def test_a_category_shows_its_own_alone_and_the_others_with_their_counts(admin_client):
    response = admin_client.get(BROWSE, {"category": "communication"})

    assert {entry.document.category for _, group in response.context["groups"] for entry in group} == {"communication"}
    assert len(response.context["categories"]) > 1


@pytest.mark.parametrize(
    ("category", "title"), [("it-management", "IT management"), ("hr", "HR"), ("travel", "Travel"), ("", "Other")]
)
def test_categories_read_as_words(category, title):
    assert title_of(category) == title


def test_a_search_that_finds_nothing_says_what_to_try(admin_client):
    html = admin_client.get(BROWSE, {"q": "<nothing>"}).content.decode()

    assert "Nothing in the catalogue answers “&lt;nothing&gt;”" in html


def test_what_is_here_already_and_what_is_newer_is_marked(admin_client):
    add({"zoom": "zoom", "toast": "toast"})
    as_if_older("zoom", description="Old words.")

    response = admin_client.get(BROWSE)

    marked = {e.document.key: (len(e.added), e.is_outdated) for _, group in response.context["groups"] for e in group}
    assert (marked["zoom"], marked["toast"], marked["marketo"]) == ((1, True), (1, False), (0, False))
    assert reverse("catalogue:difference", args=("zoom",)) in response.content.decode()


def test_the_list_costs_the_same_however_much_was_added(admin_client, django_assert_max_num_queries):
    add({key: key for key in ready_made.keys()[:20]})

    with django_assert_max_num_queries(8):
        admin_client.get(BROWSE)


def test_an_entry_shows_the_very_form_the_instructions_and_the_request(admin_client):
    html = admin_client.get(ENTRY).content.decode()

    for piece in (
        'name="v-account_id"',
        "Shown on the app&#x27;s credentials page.",
        'placeholder="AbCdEf123"',
        "<strong>Develop → Build App → Server-to-Server OAuth App</strong>",
        "POST https://zoom.us/oauth/token",
        "Authorization: Basic Base64 of [Client ID]:[Client secret]",
        "grant_type=account_credentials",
        "account_id=[Account ID]",
        "https://developers.zoom.us/docs/internal-apps/s2s-oauth/",
    ):
        assert piece in html


@pytest.mark.parametrize("key", ready_made.keys())
def test_every_entry_can_be_looked_at(key):
    shown = list(previews(ready_made.entry(key)))

    assert all(preview.request for preview in shown)
    assert [preview.method.key for preview in shown] == [one.key for one in ready_made.entry(key).auth_methods]


def test_adding_makes_the_connector_remembers_where_from_and_goes_there(admin_client):
    response = admin_client.post(ENTRY, {"key": "zoom"}, follow=True)

    connector = Connector.objects.get(key="zoom")
    assert response.redirect_chain[-1][0] == reverse("admin:connectors_connector_change", args=(connector.pk,))
    assert "Zoom was added" in response.content.decode()
    assert CatalogueOrigin.objects.get().entry == "zoom"
    assert LogEntry.objects.get().get_change_message() == "Added from the catalogue (zoom)."


def test_a_second_one_is_offered_a_key_that_is_free(admin_client):
    admin_client.post(ENTRY, {"key": "zoom"})

    assert admin_client.get(ENTRY).context["as_key"] == "zoom-2"
    admin_client.post(ENTRY, {"key": "zoom-2"})
    assert list(CatalogueOrigin.objects.values_list("connector__key", "entry")) == [
        ("zoom", "zoom"),
        ("zoom-2", "zoom"),
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [("zoom", "There already is a connector with the key zoom"), ("no key!", "can&#x27;t be a key"), ("", "key")],
)
def test_a_key_that_can_not_be_is_refused_with_the_reason(admin_client, key, said):
    add({"toast": "zoom"})

    response = admin_client.post(ENTRY, {"key": key})

    assert said in response.content.decode()
    assert Connector.objects.count() == 1


def test_the_connectors_own_page_and_list_say_where_it_came_from(admin_client):
    add({"zoom": "zoom"})
    as_if_older("zoom", description="Old words.")
    connector = Connector.objects.get()
    address = reverse("catalogue:difference", args=("zoom",))

    for page in (
        reverse("admin:connectors_connector_changelist"),
        reverse("admin:connectors_connector_change", args=(connector.pk,)),
    ):
        html = admin_client.get(page).content.decode()
        assert f'<a href="{address}" class="lk-link">A newer version</a>' in html


def test_the_list_of_connectors_and_the_menu_lead_to_the_catalogue(admin_client):
    html = admin_client.get(reverse("admin:connectors_connector_changelist")).content.decode()

    assert html.count(f'href="{BROWSE}"') >= 2


def test_an_unknown_entry_is_not_found(admin_client):
    assert admin_client.get(reverse("catalogue:entry", args=("nobody",))).status_code == 404


def test_who_may_look_sees_everything_and_adds_nothing(viewer):
    seen = viewer.get(ENTRY)

    assert (viewer.get(BROWSE).status_code, seen.status_code) == (200, 200)
    assert "add_form" not in seen.content.decode()
    assert viewer.post(ENTRY, {"key": "zoom"}).status_code == 403
    assert not Connector.objects.exists()


@pytest.mark.parametrize("address", [BROWSE, ENTRY, reverse("catalogue:difference", args=("zoom",))])
def test_a_stranger_sees_nothing(client, db, address):
    add({"zoom": "zoom"})
    anonymous = client.get(address)
    client.force_login(User.objects.create_user("member"))
    member = client.get(address)
    client.force_login(User.objects.create_user("stranger", is_staff=True))

    assert (anonymous.status_code, member.status_code) == (302, 302)
    assert client.get(address).status_code == 403
    assert client.post(address, {"key": "zoom-2"}).status_code == 403
