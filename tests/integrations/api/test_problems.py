"""Errors are problem details, whoever refuses."""

import logging
import re

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from integrations.api import instances, problems
from tenants.errors import LatchkeyError
from tests.integrations.api.conftest import TOKEN_PATH, Caller

pytestmark = pytest.mark.both_databases


def is_problem(response, status, code):
    body = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["title"]
    assert body["detail"]
    assert body["type"] == "about:blank"
    return body


@pytest.mark.parametrize("path", ["nothing", "instances/x/y/z", "", "instances/", "/api/", "/api/v2/instances"])
def test_an_address_without_anything_is_a_problem(db, call, path):
    is_problem(call("GET", path), 404, "not_found")


def test_another_method_is_a_problem_that_names_the_right_ones(instance, call):
    response = call("PUT", f"instances/{instance.pk}", {})

    is_problem(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}


def test_what_is_read_is_there_for_head_too(instance, call):
    response = call("HEAD", f"instances/{instance.pk}")

    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json; charset=utf-8")


def test_head_of_a_call_that_changes_something_is_a_problem_and_changes_nothing(instance, call):
    response = call("HEAD", f"instances/{instance.pk}/refresh")

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["openapi.json", "docs"])
def test_the_document_and_its_page_are_only_read(db, method, path):
    response = Client(enforce_csrf_checks=True).generic(method, f"/api/v1/{path}", b"{}")

    is_problem(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD"
    assert Client().head(f"/api/v1/{path}").status_code == 200


_TWICE = b'{"values": {"client_id": "a", "client_id": "b"}}'


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b'{"name": "a", "name": "b"}', _TWICE],
    ids=["open", "bytes", "deep", "long", "twice", "twice within"],
)
def test_a_body_that_is_not_json_that_all_read_alike_is_a_problem(instance, call, body):
    response = Client().patch(
        f"/api/v1/instances/{instance.pk}", body, content_type="application/json", headers=call.headers
    )

    is_problem(response, 400, "bad_request")


def test_too_many_parameters_are_a_problem(instance, call):
    is_problem(call("GET", "instances?" + "a=&" * 1200), 400, "bad_request")


def test_a_body_that_is_too_large_is_the_callers_problem_and_not_ours(instance, call):
    response = call("PATCH", f"instances/{instance.pk}", {"values": {"client_secret": "x" * 3_000_000}})

    body = is_problem(response, 400, "bad_request")
    assert "too large" in body["detail"]


def test_a_missing_body_is_a_problem(instance, call):
    is_problem(call("POST", f"instances/{instance.pk}/rejected"), 422, "validation_failed")


def test_what_was_sent_is_not_repeated(instance, call):
    response = call("PATCH", f"instances/{instance.pk}", {"values": {"client_secret": ["very-secret"]}})

    is_problem(response, 422, "validation_failed")
    assert "very-secret" not in response.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"instances": ["secr3t-id"]}, "instances.0"),
        ({"instances": {"meetings": "secr3t-id"}}, "instances.meetings"),
        ({"instances": {"meetings": ["secr3t-id"]}}, "instances.meetings"),
        ({"instances": "secr3t-id"}, "instances"),
        ({"tenant_name": "secr3t\nid"}, "tenant_name"),
    ],
)
def test_what_is_wrong_is_told_by_the_names_of_the_api_and_in_words(instance, call, body, field):
    response = call("POST", "integrations/crm-sync/sessions", {"tenant": "acme", **body})

    told = is_problem(response, 422, "validation_failed")
    assert list(told["fields"]) == [field]
    assert not re.search(r"[\[^$`]|found|UUID object|secr3t", told["fields"][field])


@pytest.mark.parametrize("path", ["instances/a%00b", f"{TOKEN_PATH}%00"])
def test_nul_in_an_address_is_not_found(db, call, path):
    is_problem(call("GET", path), 404, "not_found")


@pytest.mark.parametrize("query", ["tenant=%00", "%00=1"])
def test_nul_in_a_parameter_is_refused(db, call, query):
    is_problem(call("GET", f"instances?{query}"), 422, "validation_failed")


@pytest.mark.parametrize("name", ["\ud800", "\U0001f511"])
def test_a_name_with_any_character_is_answered(instance, call, name):
    response = call("PATCH", f"instances/{instance.pk}", {"name": name})

    assert response.status_code in (200, 422)


def test_a_fault_of_ours_is_a_problem_that_gives_nothing_away(instance, call, caplog):
    def fail(execute, sql, params, many, context):
        if "integrations_apikey" not in sql:
            raise RuntimeError("s3cret-in-an-error")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), caplog.at_level(logging.ERROR):
        response = call("GET", "instances")

    is_problem(response, 500, "internal_error")
    assert "s3cret-in-an-error" not in response.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_a_fault_before_the_call_is_a_problem_too(db, call):
    def fail(execute, sql, params, many, context):
        raise RuntimeError("no database")

    with connection.execute_wrapper(fail):
        is_problem(call("GET", "instances"), 500, "internal_error")


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("table", ["integrations_apikey", "tenants_instance"])
def test_a_database_that_is_away_is_no_fault_and_may_be_waited_for(instance, call, error, table):
    def fail(execute, sql, params, many, context):
        if table in sql:
            raise error("connection to server at db.internal failed")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        response = call("GET", "instances")

    told = is_problem(response, 503, "platform_unavailable")
    assert "db.internal" not in told["detail"]
    assert int(response.headers["Retry-After"]) > 0


def test_a_request_for_another_host_is_a_problem(db):
    is_problem(Client().get("/api/v1/instances/", headers={"Host": "evil.example"}), 400, "bad_request")


def test_pages_for_people_keep_their_own_errors(db):
    response = Client().get("/no-such-page")

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")


def test_every_error_has_a_status_of_its_own():
    def codes(error):
        yield error.code
        for below in error.__subclasses__():
            yield from codes(below)

    assert instances.router is not None  # everything that defines an error is loaded
    # One that nobody raises, and one that only commands do.
    assert set(codes(LatchkeyError)) - {"error", "document_refused"} - problems.STATUS.keys() == set()


def test_a_key_is_not_logged(instance, make_key, caplog):
    key = make_key(scopes=["sessions:write"])

    with caplog.at_level(logging.DEBUG):
        Caller(key)("GET", TOKEN_PATH)
        Caller(f"Token {key}")("GET", TOKEN_PATH)

    assert key not in caplog.text
