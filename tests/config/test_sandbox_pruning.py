"""The sandbox's expired tokens go after a day; what its console says of them stays true."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import AccessToken

from config.celery import app
from config.sandbox.models import Client
from config.sandbox.tasks import prune_tokens

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def register(name):
    owner, _ = User.objects.get_or_create(username="owner")
    return Client.objects.register(owner=owner, name=name)[0]


def issue(client, *ages):
    """Tokens that expired so many hours ago, the oldest first."""
    for age in ages:
        AccessToken.objects.create(
            application=client.application,
            token=f"{client.pk}-{age}",
            expires=timezone.now() - timedelta(hours=age),
            scope="read",
        )


def left():
    return set(AccessToken.objects.values_list("token", flat=True))


def test_tokens_go_a_day_after_they_expired():
    one, other = register("One"), register("Other")
    issue(one, 72, 25, 23, -1)
    issue(other, 30, 2)

    prune_tokens()

    assert left() == {f"{one.pk}-23", f"{one.pk}--1", f"{other.pk}-2"}


def test_the_newest_stays_so_that_its_time_can_be_told():
    one = register("One")
    issue(one, 72, 48)
    before = Client.objects.with_usage().get()

    prune_tokens()
    prune_tokens()

    after = Client.objects.with_usage().get()
    assert left() == {f"{one.pk}-48"}
    assert (after.tokens_issued, after.last_issued_at) == (2, before.last_issued_at)


def test_the_scheduler_knows_the_task():
    app.loader.import_default_modules()

    assert settings.CELERY_BEAT_SCHEDULE["prune-sandbox"]["task"] in app.tasks
