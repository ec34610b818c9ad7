"""A body that is sent in chunks, as the web server hands it on."""

import json
from io import BytesIO

import pytest
from django.test import Client

from tests.integrations.api.test_problems import is_problem


class Broken(BytesIO):
    def read(self, size=-1):
        raise OSError("Invalid chunk size")


@pytest.fixture
def patch(instance, call):
    """Change the instance by a body in chunks."""

    def patched(body, *, terminated=True):
        environ = {"wsgi.input": body, "wsgi.input_terminated": terminated, "CONTENT_LENGTH": ""}
        headers = {**call.headers, "Transfer-Encoding": "chunked"}
        return Client().patch(f"/api/v1/instances/{instance.pk}", headers=headers, **environ)

    return patched


def test_it_is_read_like_any_other(patch):
    response = patch(BytesIO(json.dumps({"name": "EMEA"}).encode()))

    assert (response.status_code, response.json()["name"]) == (200, "EMEA")


def test_one_that_is_too_large_is_refused_like_any_other(patch, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    endless = BytesIO(b" " * 10_000)

    is_problem(patch(endless), 400, "bad_request")
    assert endless.tell() == 1001


@pytest.mark.parametrize(("body", "terminated"), [(Broken(), True), (BytesIO(b"{}"), False)])
def test_one_that_can_t_be_read_is_the_callers_problem(patch, body, terminated):
    is_problem(patch(body, terminated=terminated), 400, "bad_request")
