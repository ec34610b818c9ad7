"""A provider at the edge: it answers token requests as told, and counts them."""

import json
import threading
from typing import Any

from connectors.models import AuthMethod, Connector
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.http import Headers, HttpRequest, HttpResponse
from tenants.models import Instance

JSON = Headers((("Content-Type", "application/json"),))


class Provider:
    """Stands in for `transport.send`. Issues token-1, token-2 …, each for an hour, unless `answers` says otherwise."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.answers: list[HttpResponse | LatchkeyError] = []
        self.lifetime: int | None = 3600
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with self._lock:
            self.requests.append(request)
            answer = self.answers.pop(0) if self.answers else self.token(f"token-{len(self.requests)}")
        if isinstance(answer, LatchkeyError):
            raise answer
        return answer

    def token(self, value: str, **more: Any) -> HttpResponse:
        lifetime = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return answer(200, {"access_token": value, "token_type": "Bearer", **lifetime, **more})


def answer(status: int, body: Any, **headers: str) -> HttpResponse:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpResponse(status, Headers((*JSON.fields, *fields)), json.dumps(body).encode())


def in_the_middle(provider, action):
    """A provider that does something while it is asked, once."""
    todo = [action]

    def send(request):
        if todo:
            todo.pop()()
        return provider(request)

    return send


def make_method(key: str = "example", **sections: Any) -> AuthMethod:
    """A connector with one method, as plain as they come."""
    connector = Connector.objects.create(key=key, name=key.capitalize(), base_url="https://api.example.com/v1")
    request: Any = {"url": "https://auth.example.com/token", **sections.pop("token_request", {})}
    return AuthMethod.objects.create(
        connector=connector, key="client-credentials", name="Client credentials", token_request=request, **sections
    )


def history(instance):
    """Kinds, and the status before and after, newest first."""
    return [(event.kind, event.status_before, event.status_after) for event in instance.events.all()]


def read(instance, provider, clock, min_ttl=None, sleep=None):
    """The access token that a reader gets."""
    found = Instance.objects.for_reading().get(pk=instance.pk)
    sleep = sleep or clock.sleep
    return found.credentials(min_ttl, send=provider, clock=clock, sleep=sleep).access_token
