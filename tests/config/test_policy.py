import pytest
from django.conf import settings


def policy(response):
    parts = response["Content-Security-Policy"].split("; ")
    return {name: set(values.split()) for name, _, values in (part.partition(" ") for part in parts)}


def test_pages_load_their_own_scripts_and_styles_alone(client):
    sent = policy(client.get("/healthz"))

    assert sent["default-src"] == {"'none'"}
    assert sent["script-src"] == sent["style-src"] == sent["form-action"] == {"'self'"}
    assert sent["frame-ancestors"] == sent["base-uri"] == {"'none'"}


@pytest.mark.django_db
def test_the_admin_alone_is_relaxed(client):
    admin, login = policy(client.get("/admin/login/")), policy(client.get("/login/"))

    assert admin["script-src"] == {"'self'", "'unsafe-eval'"}
    assert "'unsafe-eval'" not in login["script-src"]
    assert admin["frame-ancestors"] == {"'none'"}


def test_health_is_told_without_a_database(client):
    response = client.get("/healthz")

    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_messages_and_tasks_are_json_only():
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    assert settings.CELERY_RESULT_BACKEND is None


def test_a_tick_that_nobody_took_expires_but_not_for_workers_whose_clocks_are_a_minute_ahead():
    tick = settings.CELERY_BEAT_SCHEDULE["renew-due"]

    assert tick["schedule"] + 60 < tick["options"]["expires"] < tick["schedule"] + 120
