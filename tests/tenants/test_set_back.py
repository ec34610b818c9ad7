"""Tokens that a clock wrote which has been set back since."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tenants import connecting
from tenants.models import Tenant, Token
from tenants.set_back import renew_what_is_from_the_future
from tests.tenants.api_server import api_server
from tests.tenants.provider import make_method

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    with api_server() as api:
        method = make_method(token_request={"url": f"{api.url}/token"})
        values = {"client_id": "id", "client_secret": "s3cret-value"}
        instance = connecting.connect(Tenant.objects.create(key="acme"), method, values=values)
    return Token.objects.get(instance=instance)


def test_what_was_renewed_in_the_future_is_due_now(token):
    earlier = token.renewed_at - timedelta(hours=2)

    assert renew_what_is_from_the_future(lambda: earlier) == 1

    assert token in Token.objects.due(earlier)


def test_what_was_renewed_in_the_past_stays_as_it_is(token):
    assert renew_what_is_from_the_future() == 0

    assert Token.objects.get().refresh_at == token.refresh_at


def test_what_is_not_asked_for_by_itself_stays_so(token):
    Token.objects.update(refresh_at=None)

    assert renew_what_is_from_the_future(lambda: token.renewed_at - timedelta(hours=2)) == 0

    assert Token.objects.get().refresh_at is None


def test_a_lease_of_the_future_ends_and_one_of_the_present_does_not(token):
    now = timezone.now()
    Token.objects.update(lease_owner=uuid4(), lease_until=now + timedelta(seconds=30))

    renew_what_is_from_the_future(lambda: now)
    assert Token.objects.get().lease_owner

    renew_what_is_from_the_future(lambda: now - timedelta(hours=2))
    assert Token.objects.get().lease_owner is None
