"""The OpenAPI document and the page that shows it."""

import re

import jsonschema_rs
import pytest
from django.test import Client

from integrations.models import ApiKey

DOCUMENT = "/api/v1/openapi.json"


@pytest.fixture
def document(db):
    return Client().get(DOCUMENT).json()


def operations(document):
    return [(method, path, said) for path, methods in document["paths"].items() for method, said in methods.items()]


def test_the_document_is_openapi_3_1_and_whole(document):
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    references = set(re.findall(r'"#/components/schemas/(\w+)"', str(document).replace("'", '"')))
    assert references <= set(document["components"]["schemas"])


def test_every_call_declares_its_problems(document):
    for method, path, said in operations(document):
        statuses = set(said["responses"])
        assert {"400", "401", "403", "422", "500"} <= statuses, (method, path)
        assert any(status.startswith("2") for status in statuses), (method, path)
        for status in statuses:
            if int(status) >= 400:
                assert list(said["responses"][status]["content"]) == ["application/problem+json"]
        assert said["security"] == [{"ApiKeyAuth": []}]
        assert said["x-scope"] in ApiKey.Scope.values


def test_a_commit_declares_the_troubles_that_it_tells_with_422(document):
    refused = document["paths"]["/api/v1/sessions/{session_id}/commit"]["post"]["responses"]["422"]

    for code in ("validation_failed", "provider_unavailable", "mint_budget_spent", "instance_not_found"):
        assert f"`{code}`" in refused["description"]
    assert "Retry-After" in refused["headers"]


def test_the_calls_of_the_contract_are_there(document):
    calls = {f"{method.upper()} {path.removeprefix('/api/v1')}" for method, path, _ in operations(document)}

    assert calls >= {
        "GET /tenants/{tenant}/integrations/{key}/components/{component}/token",
        "GET /instances",
        "GET /instances/{instance_id}",
        "PATCH /instances/{instance_id}",
        "DELETE /instances/{instance_id}",
        "GET /instances/{instance_id}/token",
        "POST /instances/{instance_id}/refresh",
        "POST /instances/{instance_id}/rejected",
        "GET /instances/{instance_id}/events",
        "GET /instances/{instance_id}/next_secret",
        "DELETE /instances/{instance_id}/next_secret",
        "POST /instances/{instance_id}/next_secret/take_over",
        "POST /integrations/{key}/sessions",
        "GET /sessions/{session_id}",
        "POST /sessions/{session_id}/commit",
        "GET /connectors",
        "GET /connectors/{key}",
    }


def test_the_page_brings_everything_from_here(db):
    page = Client().get("/api/v1/docs")

    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith("/static/"), source
        asset = Client().get(source)
        assert asset.status_code == 200, source
        asset.close()
    assert not re.search(r"<script(?![^>]*(?:src=|type=\"application/json\"))", page.text)
