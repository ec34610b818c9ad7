"""The Python that docs/reading-tokens.md and the README show is run, block for block, against a real API."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from integrations.models import Integration
from tenants import connecting
from tenants.models import Tenant
from tests.tenants.api_server import api_server
from tests.tenants.provider import make_method

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
# What was promised before anything was built, to the letter.
CONTRACT = """
from integrations.models import Integration
from tenants.models import Instance

crm = Integration.objects.get(key="crm-sync")
credentials = crm.credentials("acme", "meetings")        # tenant key, component name
credentials.access_token, credentials.expires_at, credentials.headers, credentials.base_url

with crm.client("acme", "meetings") as http:             # a requests.Session
    http.get("/users/me")                                # relative to base_url, signed, renewed on 401 once

zoom = Instance.objects.find("acme", "zoom")             # without an integration; name= when there are several
zoom.credentials(min_ttl=120); zoom.client()
"""


def blocks(name):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)


def run(code, names):
    exec(compile(code, "an example", "exec"), names)  # noqa: S102 (it is our own documentation)


@pytest.fixture
def api():
    with api_server() as server:
        for path in ("/v2/users/me", "/v2/users/me/meetings", "/v2/users/me/recordings"):
            server.routes[path] = server.guarded
        yield server


@pytest.fixture
def zoom(api, settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    method = make_method("zoom", token_request={"url": f"{api.url}/token"})
    method.connector.base_url = f"{api.url}/v2"
    method.connector.save()
    integration = Integration.objects.create(key="crm-sync", name="CRM sync")
    integration.components.create(name="meetings", connector=method.connector)
    tenant = Tenant.objects.create(key="acme", name="Acme")
    return connecting.connect(tenant, method, name="EMEA", values=VALUES)


@pytest.fixture
def httpx(monkeypatch):
    """As much of httpx as the example uses: a flow is a generator of requests that is sent the answers."""

    def get(url, auth):
        flow = auth.auth_flow(SimpleNamespace(headers={}))
        request = next(flow)
        while True:
            answer = requests.get(url, headers=request.headers, timeout=20)
            try:
                request = flow.send(answer)
            except StopIteration:
                return answer

    module = SimpleNamespace(Auth=object, get=get)
    monkeypatch.setitem(sys.modules, "httpx", module)
    return module


@pytest.fixture
def names(api):
    """What a reader of the page has already: `response` is an API's refusal, the rest does as its name says."""
    told = []
    given = {"response": SimpleNamespace(status_code=401), "retry_in": told.append, "tell_the_customer": told.append}
    return {"__name__": "example", "told": told, **given}


@pytest.mark.usefixtures("zoom", "httpx")
def test_every_block_of_the_page_runs(api, names):
    # An address of the real provider leads to the stand-in.
    found = [block.replace("https://api.zoom.us", api.url) for block in blocks("docs/reading-tokens.md")]
    found = [block for block in found if "DPoP" not in block]  # tests/tenants/test_bound_tokens.py does as it says
    assert len(found) >= 11

    for block in found:
        run(block, names)

    assert names["answer"].status_code == 200
    assert {asked.path for asked in api.asked} == {"/v2/users/me", "/v2/users/me/meetings", "/v2/users/me/recordings"}


@pytest.mark.usefixtures("zoom")
def test_the_httpx_example_renews_a_rejected_token(api, names, httpx):
    code = next(block for block in blocks("docs/reading-tokens.md") if "import httpx" in block)
    names["crm"] = Integration.objects.get(key="crm-sync")
    api.revoke()

    run(code.partition("httpx.get")[0], names)
    answer = httpx.get(f"{api.url}/v2/users/me", auth=names["ZoomAuth"]())

    assert answer.json() == {"token": "token-2"}


@pytest.mark.parametrize("refused", [True, False])
def test_the_examples_of_errors_tell_the_customer_what_can_not_be_waited_for(zoom, api, names, refused):
    run(blocks("README.md")[0], names)
    api.is_token_refused = refused
    if not refused:
        api.token_status = 503
    names["crm"].credentials("acme", "meetings").report_rejected()
    found = [block for block in blocks("docs/reading-tokens.md") if "tell_the_customer" in block]

    for block in found:
        run(block, names)

    assert len(names["told"]) == 2
    assert all(("client ID" in str(one)) == refused for one in names["told"])


@pytest.mark.usefixtures("zoom")
@pytest.mark.parametrize("code", [CONTRACT, blocks("README.md")[0]], ids=["the contract", "the README"])
def test_the_shortest_examples_run(api, names, code):
    run(code, names)

    assert api.last.path == "/v2/users/me"
    assert names["credentials"].headers == {"Authorization": "Bearer token-1"}
    assert names["credentials"].expires_at is not None
