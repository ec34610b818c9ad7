import pytest

from config import checks


def found(*checked):
    return [message.id for check in checked for message in check(None)]


@pytest.mark.parametrize(
    ("public_url", "host"),
    [("https://latchkey.example.com", ""), ("http://127.0.0.1:8000", "db.internal"), ("http://10.0.0.7", "127.0.0.1")],
)
def test_the_sandbox_is_refused_beside_what_others_reach(settings, monkeypatch, public_url, host):
    settings.SANDBOX, settings.PUBLIC_URL = True, public_url
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", host)

    assert found(checks.sandbox_stays_at_home) == [checks.ERROR_SANDBOX_IN_PRODUCTION]


def test_the_sandbox_is_welcome_at_home(settings):
    settings.SANDBOX, settings.PUBLIC_URL = True, "http://127.0.0.1:8000"

    assert found(checks.sandbox_stays_at_home) == []


def test_debug_and_open_hosts_are_warned_of_in_public(settings):
    settings.PUBLIC_URL, settings.DEBUG, settings.ALLOWED_HOSTS = "https://latchkey.example.com", True, ["*"]

    ids = found(checks.hosts_are_named, checks.debug_stays_at_home)

    assert ids == [checks.WARNING_EVERY_HOST, checks.WARNING_DEBUG_IN_PUBLIC]
