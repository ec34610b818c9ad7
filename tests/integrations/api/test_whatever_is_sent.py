"""Schemathesis: whatever is sent, the answer is as the document says."""

import os
import subprocess
import sys

import pytest
from django.utils import timezone

from integrations.models import ApiKey
from tenants.models import NextValues
from tests.integrations.api.conftest import fresh
from tests.tenants.wizard.rows import make_instance
from tests.tenants.wizard.token_server import BAD_SECRET, GOOD_SECRET

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "5")

# Every check is on. What a document can't say: that a provider may refuse well-formed credentials (422) or be away
# (503), and that a well-formed cursor may be none of ours (422).
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 409, 422, 503]

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 503]

[[operations]]
include-operation-id = "read_token"
parameters = { tenant = "acme", key = "crm-sync", component = "meetings" }

[[operations]]
include-operation-id = "create_session"
parameters = { key = "crm-sync" }

[[operations]]
include-operation-id = "get_connector"
parameters = { key = "zoom" }
"""


@pytest.mark.django_db(transaction=True)
def test_schemathesis_finds_nothing_with_all_checks(live_server, tmp_path, acme, globex, zoom, crm, chat, make_key):
    for tenant, name in ((acme, ""), (globex, "One"), (globex, "Two")):
        instance = fresh(make_instance(tenant, zoom, name=name))
        instance.filled_in.values = {"client_id": "the-client", "client_secret": GOOD_SECRET}
        instance.filled_in.save()
        following = {"client_secret": BAD_SECRET}
        NextValues.objects.create(instance=instance, values=following, set_at={}, added_at=timezone.now())
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    key = make_key()

    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{live_server.url}/api/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {key}", "--checks", "all", "--seed", "1", "--no-color"),
            *("--max-examples", EXAMPLES, "--workers", "1", "--generation-database", "none"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    assert "17 selected / 17 total" in run.stdout
    assert ApiKey.objects.get().last_used_at is not None
