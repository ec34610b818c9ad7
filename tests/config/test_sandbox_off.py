"""The sandbox is for one's own machine: elsewhere it neither starts nor can be imported."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

TRY = """
import django
from django.conf import settings
django.setup()
from django.apps import apps
from django.urls import resolve, Resolver404
print("installed" if apps.is_installed("config.sandbox") or apps.is_installed("oauth2_provider") else "not installed")
try:
    print("served by", resolve("/sandbox/oauth/token").view_name)
except Resolver404:
    print("not served")
for name in ("models", "urls", "api", "console", "authorization_server"):
    try:
        __import__(f"config.sandbox.{name}")
        print(f"{name} imported")
    except (RuntimeError, AttributeError) as error:
        pass
"""


def run(tmp_path, *command, **environment):
    # Nothing of this process's environment but the way to Python: the settings of the tests must not leak in.
    return subprocess.run(
        [sys.executable, *command],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "VAR_DIR": str(tmp_path),
            "SECRET_KEY": "a sufficiently long key for these tests 0123456789",
            "FERNET_KEYS": "a sufficiently long key for these tests 0123456789",
            **environment,
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("environment", [{}, {"SANDBOX": "0"}], ids=["by default", "when it is off"])
def test_is_neither_installed_nor_served_nor_importable(tmp_path, environment):
    tried = run(tmp_path, "-c", TRY, **environment)

    assert tried.stdout.splitlines() == ["not installed", "not served"], tried.stderr


def test_is_served_where_it_is_on(tmp_path):
    tried = run(tmp_path, "-c", TRY, SANDBOX="1")

    assert tried.stdout.splitlines()[:2] == ["installed", "served by sandbox:token"], tried.stderr


@pytest.mark.parametrize(
    "environment",
    [{"PUBLIC_URL": "https://latchkey.example.com"}, {"DATABASE_URL": "postgres://latchkey:x@db.example.com/latchkey"}],
    ids=["public address", "database elsewhere"],
)
def test_neither_web_server_nor_worker_starts_with_it_in_production(tmp_path, environment):
    for module in ("config.wsgi", "config.asgi", "config.celery"):
        started = run(tmp_path, "-c", f"import {module}, django; django.setup()", SANDBOX="1", **environment)

        assert started.returncode != 0
        assert "SANDBOX is on beside a database or a PUBLIC_URL that isn't this machine's." in started.stderr


def test_a_command_refuses_in_one_sentence(tmp_path):
    refused = run(tmp_path, "manage.py", "check", SANDBOX="1", PUBLIC_URL="https://latchkey.example.com")

    assert refused.stderr.splitlines() == [
        "Latchkey can't start.",
        "SANDBOX is on beside a database or a PUBLIC_URL that isn't this machine's. "
        "Leave SANDBOX out, or use a database and a PUBLIC_URL of this machine.",
    ]


def test_the_demo_says_what_to_do_where_the_sandbox_is_off(tmp_path):
    refused = run(tmp_path, "manage.py", "seed_demo")

    assert refused.returncode != 0
    assert "Set SANDBOX=1" in refused.stderr
    assert "Traceback" not in refused.stderr
