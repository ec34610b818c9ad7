"""A tenant's token after a login: what API requests need of the login is kept with it, and read back."""

import json
import time

import pytest

from connectors import transport
from connectors.documents import connector_document, store_connector
from connectors.models import AuthMethod, Connector
from connectors.oauth2 import definition
from connectors.oauth2.errors import MintBudgetSpent, ProviderUnavailable
from tenants import connecting
from tenants.models import Instance, MintAccount, Token
from tests.connectors.transport.servers import http, serving

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}
JSON = "Content-Type: application/json\r\n"


def document(port, **method):
    here = f"http://127.0.0.1:{port}"
    return {
        "kind": "connector",
        "key": "manager",
        "name": "Manager",
        "base_url": "{{login.api}}",
        "auth_methods": [
            {
                "key": "login",
                "name": "Login",
                "steps": [
                    {
                        "key": "login",
                        "keep": {"session": "cookie:JSESSIONID", "api": "api", "unused": "unused"},
                        "url": f"{here}/login",
                        "body": {"user": "{{client_id}}", "password": "{{client_secret}}"},
                    }
                ],
                "token_request": {
                    "method": "GET",
                    "url": f"{here}/token",
                    "client_authentication": "none",
                    "headers": {"Cookie": "JSESSIONID={{login.session}}"},
                    "body_format": "none",
                },
                "token_response": {"access_token": "$"},
                "api_request": {
                    "headers": {"Cookie": "JSESSIONID={{login.session}}", "X-XSRF-TOKEN": "{{access_token}}"}
                },
                "refresh": {"on_status": [401, 403]},
                **method,
            }
        ],
    }


class Manager:
    """A service whose token is worth nothing without the session in which it was fetched."""

    def __init__(self):
        self.sessions, self.seen, self.dead, self.pause = {}, [], set(), 0.0

    def __call__(self, peer):
        while request := peer.request():
            time.sleep(self.pause)
            peer.sock.sendall(self.answer(request.decode()))

    def answer(self, request):
        method, path = request.split(" ")[:2]
        fields = dict(line.split(": ", 1) for line in request.partition("\r\n\r\n")[0].split("\r\n")[1:])
        self.seen.append((method, path))
        if path == "/login":
            return self._login(request)
        session = fields.get("Cookie", "").partition("JSESSIONID=")[2]
        if session not in self.sessions or session in self.dead:
            return http(b"<html>Sign in</html>", status="403 Forbidden")
        if path == "/token":
            return http(self.sessions[session].encode(), headers="Content-Type: text/plain\r\n")
        is_its_own = fields.get("X-XSRF-TOKEN") == self.sessions[session]
        return http(b"{}", status="200 OK" if is_its_own else "403 Forbidden", headers=JSON)

    def _login(self, request):
        if "password=s3cret-value" not in request:
            return http(b"<html>Sign in</html>", headers="Content-Type: text/html\r\n")
        number = len(self.sessions) + 1
        self.sessions[f"session-{number}"] = f"token-{number}"
        api = {"api": f"http://127.0.0.1:{self.port}/api", "unused": "never-needed"}
        cookie = f"Set-Cookie: JSESSIONID=session-{number}; Path=/; HttpOnly\r\n"
        return http(json.dumps(api).encode(), headers=JSON + cookie)


@pytest.fixture
def manager(settings):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    manager = Manager()
    with serving(manager) as server:
        manager.port = server.port
        yield manager
    transport._POOL.clear()


@pytest.fixture
def stored(db, manager):
    def method(**parts):
        store_connector(definition.Connector.model_validate(document(manager.port, **parts)))
        return AuthMethod.objects.get(connector__key="manager")

    return method


@pytest.fixture
def instance(stored, tenant):
    return connecting.connect(tenant, stored(), values=VALUES)


@pytest.mark.usefixtures("instance")
def test_a_document_with_steps_survives_the_database(manager):
    assert connector_document(Connector.objects.get(key="manager")) == document(manager.port)


def test_what_api_requests_need_is_kept_encrypted_with_the_token_and_nothing_else(instance, manager):
    token = Token.objects.get(pk=instance.pk)

    assert token.secrets["steps"] == {
        "login.session": "session-1",
        "login.api": f"http://127.0.0.1:{manager.port}/api",
    }
    assert "session-1" not in repr(token.bought)
    assert "session-1" not in repr(instance.credentials())


def test_credentials_are_signed_with_what_was_kept_and_without_another_login(instance, manager):
    read = Instance.objects.find(instance.tenant.key, "manager").credentials()

    assert read.headers == {"Cookie": "JSESSIONID=session-1", "X-XSRF-TOKEN": "token-1"}
    assert read.base_url == f"http://127.0.0.1:{manager.port}/api"
    assert manager.seen == [("POST", "/login"), ("GET", "/token")]


def test_a_client_logs_in_anew_where_the_api_turns_the_session_down(instance, manager):
    manager.dead.add("session-1")

    with instance.client() as session:
        answer = session.get("/devices")

    assert answer.status_code == 200
    assert answer.request.headers["Cookie"] == "JSESSIONID=session-2"
    assert answer.request.headers["X-XSRF-TOKEN"] == "token-2"


def test_a_login_and_its_token_request_count_once_against_the_budget(stored, tenant):
    instance = connecting.connect(tenant, stored(refresh={"max_requests": "2/day"}), values=VALUES)
    token = Token.objects.get(pk=instance.pk)

    token.ask(send=transport.send, clock=lambda: token.issued_at)

    assert MintAccount.objects.count() == 1
    with pytest.raises(MintBudgetSpent):
        token.ask(send=transport.send, clock=lambda: token.issued_at)


def test_slow_steps_share_one_deadline_with_the_token_request(stored, tenant, manager, settings):
    login = document(manager.port)["auth_methods"][0]["steps"][0]
    steps = [login, *({**login, "key": key} for key in ("again", "once-more"))]
    method = stored(steps=steps)
    settings.OUTBOUND_TIMEOUT, manager.pause = 5.0, 2.2
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable, match=r"At the step “once-more”: .* did not answer in time"):
        connecting.connect(tenant, method, values=VALUES)

    assert time.monotonic() - began < 20
    assert [path for _, path in manager.seen].count("/token") == 0
    assert not Instance.objects.exists()
