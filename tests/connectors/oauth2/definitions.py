"""Definitions, renderings and answers to test with."""

import json
from datetime import UTC, datetime
from uuid import UUID

from connectors.oauth2.definition import Connector
from connectors.oauth2.http import Headers, HttpResponse
from connectors.oauth2.method import Method
from connectors.oauth2.response import read_grant
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve

NOW = datetime(2026, 3, 5, 14, 7, 9, 250_000, tzinfo=UTC)
ONE_UUID = UUID("6f1c1a52-9d3c-4b7e-8a55-2f1d0c3b4a59")
CREDENTIALS = {"client_id": "the-id", "client_secret": "the-secret"}


def connector_of(*, base_url="", connector_variables=(), **method):
    """A connector with one method, `m`."""
    request = {"url": "https://auth.example.com/token", **method.pop("token_request", {})}
    return Connector.model_validate(
        {
            "kind": "connector",
            "key": "c",
            "name": "C",
            "base_url": base_url,
            "variables": list(connector_variables),
            "auth_methods": [{"key": "m", "name": "M", "token_request": request, **method}],
        }
    )


def method_of(**parts):
    connector = connector_of(**parts)
    return Method(connector, connector.auth_methods[0])


def given(method, operator=None, **values):
    return resolve(method, {**CREDENTIALS, **values}, operator or {}, now=NOW, uuid=ONE_UUID)


def rendering(**values):
    return Rendering({name.replace("__", "."): value for name, value in values.items()}, NOW, ONE_UUID)


def answer(body=b"", status=200, content_type="application/json", **headers):
    """An answer; a body that is no bytes is written as JSON. `Set_Cookie=…` is the field Set-Cookie."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = [("Content-Type", content_type)] if content_type else []
    fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return HttpResponse(status, Headers(tuple(fields)), octets)


def grant(response, secrets=(), values=None, **token_response):
    """What is read from an answer, the token's name being that which is supplied unless `values` says another."""
    method = method_of(token_response=token_response)
    return read_grant(
        method.definition.token_response, response, given(method, **values or {}), now=NOW, secrets=secrets
    )
