"""The same token is known again without being decrypted."""

import pytest
from django.db import connection

from tenants import schedule
from tenants.fingerprints import fingerprint
from tenants.models import Instance, Token
from tests.tenants.provider import answer

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SAME = {"access_token": "token-1", "expires_in": 3000}


@pytest.fixture
def due(instance, clock):
    clock.advance(minutes=48)
    return Token.objects.get()


def renewed(provider, clock):
    assert schedule.renew_chunk(send=provider, clock=clock).renewed == 1
    return Token.objects.get()


def test_another_key_makes_another_fingerprint(settings):
    first = fingerprint("token-1")
    settings.SECRET_KEY = "another secret key, as long as one has to be, or longer"

    assert fingerprint("token-1") != first
    assert fingerprint("token-1") == fingerprint("token-1") != fingerprint("token-2")


def test_it_says_nothing_of_the_token():
    assert b"token-1" not in fingerprint("token-1")
    assert len(fingerprint("x" * 5000)) == len(fingerprint("")) == 16


def test_a_token_that_was_bought_is_known_by_its_fingerprint(due):
    assert bytes(due.fingerprint) == fingerprint("token-1")


def test_the_same_token_is_known_again(due, provider, clock):
    provider.answers = [answer(200, SAME)]

    token = renewed(provider, clock)

    assert token.is_repeated
    assert token.issued_at == due.issued_at


def test_the_same_token_is_known_again_where_no_fingerprint_was_kept(due, provider, clock):
    Token.objects.update(fingerprint=None)
    provider.answers = [answer(200, SAME)]

    token = renewed(provider, clock)

    assert token.is_repeated
    assert bytes(token.fingerprint) == fingerprint("token-1")


def test_another_token_is_none_that_was_known(due, provider, clock):
    token = renewed(provider, clock)

    assert not token.is_repeated
    assert bytes(token.fingerprint) == fingerprint("token-2")


@pytest.mark.parametrize("is_known", [True, False])
def test_a_token_that_cannot_be_decrypted_any_more_is_replaced(due, provider, clock, is_known):
    Token.objects.update(fingerprint=fingerprint("token-1") if is_known else None)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Token._meta.db_table} SET secrets = %s", [b"damaged"])  # noqa: S608 (our own name)

    token = renewed(provider, clock)

    assert token.bought.access_token == "token-2"
    assert Instance.objects.get().status == Instance.Status.ACTIVE
