"""What may be set is written down, in the documentation and in the example."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "config" / "settings.py").read_text()
NAMES = sorted({*re.findall(r'(?:parsed|text|has)\(\s*"([A-Z_]+)"', SOURCE)})


def test_the_settings_of_the_contract_exist():
    assert {
        "SECRET_KEY",
        "FERNET_KEYS",
        "DATABASE_URL",
        "CELERY_BROKER_URL",
        "ALLOWED_HOSTS",
        "PUBLIC_URL",
        "OUTBOUND_ALLOWED_HOSTS",
        "OUTBOUND_TIMEOUT",
        "OUTBOUND_CA_FILE",
        "VAR_DIR",
        "DEBUG",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_is_explained_and_exemplified(name):
    assert f"| `{name}` |" in (ROOT / "docs" / "settings.md").read_text()
    assert f"\n#{name}=" in (ROOT / ".env.example").read_text()
