"""Passwords can't be tried one after another: in the wizard and in the admin, failures make the next attempt wait."""

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.urls import reverse

from tenants.models import SignInFailures
from tenants.sign_in import OF_ADDRESS, OF_BOTH, OF_NAME, ThrottledBackend, client_address
from tenants.tasks import prune

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7"
PAGES = [reverse("wizard:sign-in"), reverse("admin:login")]


@pytest.fixture
def ada():
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def attempt(clock):
    """Try one password, from an address, as the pages do."""

    def tried(password="wrong", name="ada", address="192.0.2.1"):
        request = RequestFactory().post("/login/", REMOTE_ADDR=address)
        return ThrottledBackend().authenticate(request, username=name, password=password, clock=clock)

    return tried


def fail(attempt, times, **more):
    for _ in range(times):
        assert attempt(**more) is None


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("ada")
def test_after_failures_the_form_says_how_long_to_wait(page):
    browser = Client()
    for _ in range(OF_BOTH):
        shown = browser.post(page, {"username": "ada", "password": "wrong"}).content.decode()
        assert "too often" not in shown

    shown = browser.post(page, {"username": "ada", "password": PASSWORD})

    assert "Signing in failed too often. Wait 30 seconds, then try again." in shown.content.decode()
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("ada")
def test_who_knows_the_password_comes_in(page):
    browser = Client()
    for _ in range(OF_BOTH - 1):
        browser.post(page, {"username": "ada", "password": "wrong"})

    browser.post(page, {"username": "ada", "password": PASSWORD})

    assert "_auth_user_id" in browser.session


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(ada, attempt, clock):
    fail(attempt, OF_BOTH)
    waits = []
    for _ in range(7):
        with pytest.raises(ValidationError) as refused:
            attempt(PASSWORD)
        waits.append(refused.value.message.partition("Wait ")[2].partition(",")[0])
        clock.advance(minutes=14, seconds=59)
        if len(waits) < 6:
            attempt()

    assert waits == ["30 seconds", "60 seconds", "2 minutes", "4 minutes", "8 minutes", "15 minutes", "1 second"]


def test_after_the_wait_the_right_password_comes_in_and_all_is_forgotten(ada, attempt, clock):
    fail(attempt, OF_BOTH)
    clock.advance(seconds=31)

    assert attempt(PASSWORD) == ada
    fail(attempt, OF_BOTH - 1)
    assert attempt(PASSWORD) == ada


def test_failures_are_forgotten_after_a_quarter_of_an_hour(ada, attempt, clock):
    fail(attempt, OF_BOTH - 1)
    clock.advance(minutes=16)

    fail(attempt, OF_BOTH - 1)

    assert attempt(PASSWORD) == ada


def test_somebody_elses_failures_keep_nobody_out(ada, attempt):
    fail(attempt, OF_BOTH, address="203.0.113.9")

    assert attempt(PASSWORD) == ada


def test_a_name_that_fails_from_everywhere_waits(ada, attempt):
    for index in range(OF_NAME):
        attempt(name=" ADA" if index % 2 else "ada", address=f"198.51.100.{index}")

    with pytest.raises(ValidationError, match="too often"):
        attempt(PASSWORD)


def test_an_address_that_tries_many_names_waits(ada, attempt):
    for index in range(OF_ADDRESS):
        attempt(name=f"name-{index}")

    with pytest.raises(ValidationError, match="too often"):
        attempt(PASSWORD)


def test_signing_in_often_is_no_failure(ada, attempt):
    assert all(attempt(PASSWORD) == ada for _ in range(OF_ADDRESS + 1))


def test_attempts_without_a_request_are_counted_by_name(ada, clock):
    for _ in range(OF_BOTH):
        ThrottledBackend().authenticate(None, username="ada", password="wrong", clock=clock)

    with pytest.raises(ValidationError):
        ThrottledBackend().authenticate(None, username="ada", password=PASSWORD, clock=clock)


@pytest.mark.usefixtures("ada")
def test_the_other_way_to_authenticate_counts_too():
    async_to_sync(aauthenticate)(username="ada", password="wrong")

    assert set(SignInFailures.objects.values_list("count", flat=True)) == {1}


def test_no_name_is_kept(ada, attempt):
    attempt(name="a password in the wrong field")

    assert "password" not in str(list(SignInFailures.objects.values()))


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6"}, "192.0.2.1"),
        ({"REMOTE_ADDR": "2001:db8::1:2:3:4"}, "2001:db8::/64"),
        ({"REMOTE_ADDR": ""}, ""),
    ],
)
def test_without_a_proxy_what_clients_say_of_themselves_counts_for_nothing(settings, meta, expected):
    settings.SECURE_PROXY_SSL_HEADER = None

    assert client_address(RequestFactory().get("/", **meta)) == expected


def test_behind_a_proxy_the_address_is_the_one_that_it_saw(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    seen = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1"}

    assert client_address(RequestFactory().get("/", **seen)) == "192.0.2.1"
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1"


def test_counts_are_pruned(ada, attempt, clock):
    clock.now -= timedelta(days=900)
    attempt()

    prune()

    assert not SignInFailures.objects.exists()
