"""API keys: made once, found by their hash."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from integrations import keys
from integrations.models import ApiKey, Integration
from tenants.models import Tenant


def create(*arguments):
    out, err = StringIO(), StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_a_key_is_found_by_its_text_which_is_stored_nowhere(db):
    key, text = keys.issue("backend")

    assert keys.find(text) == key
    stored = ApiKey.objects.values().get()
    assert text not in str(stored)
    assert text.startswith(stored["prefix"])
    assert text[len(stored["prefix"]) :] not in str(stored)


@pytest.mark.parametrize("text", ["", "lk_", "lk_short", "lk_" + "é" * 43, "x" * 1_000_000])
def test_what_can_not_be_a_key_costs_no_query(text, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert keys.find(text) is None


def test_a_key_made_under_a_former_secret_key_is_found_while_that_is_a_fallback(db, settings):
    key, text = keys.issue("backend")
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key-of-enough-characters"

    assert keys.find(text) is None
    settings.SECRET_KEY_FALLBACKS = [former]
    assert keys.find(text) == key


def test_usable_keys_are_neither_revoked_nor_expired(db):
    now = timezone.now()
    good, _ = keys.issue("good", expires_at=now + timedelta(days=1))
    keys.issue("expired", expires_at=now)
    revoked, _ = keys.issue("revoked")
    keys.revoke(revoked, now=now)

    assert list(ApiKey.objects.usable(now)) == [good]


def test_a_use_is_noted_once_a_minute(db, django_assert_num_queries):
    key, text = keys.issue("backend")
    now = timezone.now()
    keys.note_use(key, now=now)
    seen = keys.find(text)

    with django_assert_num_queries(0):
        keys.note_use(seen, now=now + timedelta(seconds=59))
    keys.note_use(seen, now=now + timedelta(seconds=61))

    assert keys.find(text).last_used_at == now + timedelta(seconds=61)


def test_a_key_goes_with_what_it_is_bound_to(db):
    tenant = Tenant.objects.create(key="acme")
    keys.issue("bound", tenant=tenant)

    tenant.delete()

    assert not ApiKey.objects.exists()


def test_the_command_prints_the_key_alone_and_says_what_it_may_do(db):
    Integration.objects.create(key="crm-sync", name="CRM sync")
    Tenant.objects.create(key="acme")

    text, said = create(
        "backend", "--integration", "crm-sync", "--tenant", "acme", "--scope", "tokens:read",
        "--scope", "instances:read", "--expires-in", "30",
    )  # fmt: skip

    key = keys.find(text)
    assert (key.name, key.integration.key, key.tenant.key) == ("backend", "crm-sync", "acme")
    assert key.scopes == ["tokens:read", "instances:read"]
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    assert "crm-sync" in said
    assert text not in said


def test_without_options_a_key_reaches_everything(db):
    text, said = create("backend")

    key = keys.find(text)
    assert key.scopes == ApiKey.Scope.values
    assert (key.integration, key.tenant, key.expires_at) == (None, None, None)
    assert "every tenant" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("backend", "--integration", "crm-snyc"), "Did you mean crm-sync?"),
        (("backend", "--tenant", "acmee"), "Did you mean acme?"),
        (("backend", "--scope", "everything"), "invalid choice"),
        (("backend", "--expires-in", "0"), "Write one from 1 to 3650"),
        ((" ",), "NAME"),
        (("two\nlines",), "NAME"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_command_that_makes_no_sense_makes_no_key(db, arguments, words):
    Integration.objects.create(key="crm-sync", name="CRM sync")
    Tenant.objects.create(key="acme")

    with pytest.raises(CommandError, match=words.replace("?", r"\?")):
        create(*arguments)
    assert not ApiKey.objects.exists()
