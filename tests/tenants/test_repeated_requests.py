"""An API turns a token down: `client()` renews it, and makes the request once more."""

import io
import json
import threading

import pytest
from django.db import connection
from requests.exceptions import UnrewindableBodyError

from connectors.oauth2.errors import CredentialsRefused

pytestmark = pytest.mark.django_db

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


def test_a_rejected_token_is_renewed_once_and_the_request_repeated(http, api):
    api.revoke()

    answer = http.get("/users/me")

    assert answer.json() == {"token": "token-2"}
    assert [response.status_code for response in answer.history] == [401]
    assert (len(api.asked), len(api.tokens)) == (2, 2)


def test_an_api_that_goes_on_refusing_is_asked_twice_and_no_more(http, api):
    api.valid = "none"

    answer = http.get("/users/me")

    assert answer.status_code == 401
    assert (len(api.asked), len(api.tokens)) == (2, 2)


def test_other_statuses_and_bodies_can_mean_a_dead_token(connect, api):
    http = connect(refresh={"on_status": [403], "on_body": {"error.code": ["expired", 17]}}).client()
    says = iter([(403, {}, b""), (200, {}, b'{"error": {"code": 17}}'), (401, {}, b""), (200, {}, b"no JSON")])
    api.routes["/v1/x"] = lambda asked: next(says)

    first = http.get("/x")
    second = http.get("/x")

    assert (first.status_code, first.json()) == (200, {"error": {"code": 17}})
    assert (second.status_code, second.history) == (401, [])
    assert http.get("/x").text == "no JSON"
    assert len(api.tokens) == 2


def test_a_body_that_means_a_dead_token_is_answered_by_another_request(connect, api):
    http = connect(refresh={"on_body": {"ok": [False]}}).client()
    api.routes["/v1/x"] = lambda asked: (200, {}, json.dumps({"ok": "token-2" in str(asked.headers)}).encode())

    assert http.get("/x").json() == {"ok": True}


@pytest.mark.parametrize(
    ("on_body", "content_type", "body"),
    [
        ({"Answer.Fault.Code": [17]}, "text/xml", b"<Answer><Fault><Code>17</Code></Fault></Answer>"),
        ({"Answer.@status": ["expired"]}, "application/xml", b'<Answer status="expired"/>'),
        ({"error": ["expired"]}, "application/x-www-form-urlencoded", b"error=expired&x=1"),
        ({"$": ["expired"]}, "text/plain", b"expired\n"),
        ({"ok": ["false"]}, "application/json", b'{"ok": false}'),
        ({"code": [17]}, "application/json", b'{"code": 17.0}'),
        ({"code": [17]}, "text/html", b'\xef\xbb\xbf{"code": "17"}'),
    ],
)
def test_an_api_says_it_in_whatever_form_it_answers(connect, api, on_body, content_type, body):
    http = connect(refresh={"on_body": on_body}).client()
    says = iter([(200, {"Content-Type": content_type}, body), (200, {}, b"{}")])
    api.routes["/v1/x"] = lambda asked: next(says)

    assert http.get("/x").json() == {}
    assert len(api.tokens) == 2


BODIES = {
    "bytes": ({"data": b"\x00raw"}, b"\x00raw"),
    "text": ({"data": "täxt".encode()}, "täxt".encode()),
    "form": ({"data": {"a": "1", "b": ["2", "3"]}}, b"a=1&b=2&b=3"),
    "json": ({"json": {"a": [1]}}, b'{"a": [1]}'),
    "file": ({"data": lambda: io.BytesIO(b"content of a file")}, b"content of a file"),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_sent_again_whole(http, api, kind):
    arguments, expected = BODIES[kind]
    arguments = {name: value() if callable(value) else value for name, value in arguments.items()}
    api.revoke()

    answer = http.post("/items", **arguments)

    assert answer.status_code == 200
    assert [asked.body for asked in api.asked] == [expected, expected]


def test_a_file_is_sent_again_from_where_it_stood(http, api):
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    api.revoke()

    http.put("/items", data=file)

    assert [asked.body for asked in api.asked] == [b"sent", b"sent"]


def test_a_multipart_body_is_sent_again_whole(http, api):
    api.revoke()

    answer = http.post("/items", data={"a": "1"}, files={"f": ("f.txt", io.BytesIO(b"content"))})

    assert answer.status_code == 200
    first, second = api.asked
    assert b"content" in first.body
    assert first.body == second.body


def test_a_body_that_cannot_be_sent_twice_is_not_repeated_and_says_so(http, api):
    api.revoke()

    with pytest.raises(UnrewindableBodyError, match=r"has been renewed.*can't be sent twice") as refused:
        http.post("/items", data=(part for part in [b"one", b"two"]))

    assert refused.value.response.status_code == 401
    assert [asked.body for asked in api.asked] == [b"onetwo"]
    assert http.get("/items").json() == {"token": "token-2"}


def test_a_streamed_answer_is_repeated_too(http, api):
    api.revoke()

    with http.get("/items", stream=True) as answer:
        read = b"".join(answer.iter_content(4))

    assert json.loads(read) == {"token": "token-2"}


def test_a_renewal_that_is_refused_says_so(http, api):
    api.revoke()
    api.is_token_refused = True

    with pytest.raises(CredentialsRefused, match="invalid_client"):
        http.get("/x")

    assert len(api.asked) == 1


def test_cookies_are_kept_and_sent_with_the_repetition(http, api):
    def login(asked):
        status, headers, body = api.guarded(asked)
        return status, {**headers, "Set-Cookie": "visit=7"}, body

    api.routes["/v1/x"] = login
    api.revoke()

    http.get("/x", cookies={"own": "1"})

    first, second = (asked.headers["cookie"] for asked in api.asked)
    assert first == "own=1"
    assert set(second.split("; ")) == {"own=1", "visit=7"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
def test_threads_that_share_a_session_cause_one_renewal(http, api):
    api.revoke()
    api.token_takes = 0.2
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(get(http))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [{"token": "token-2"}] * 8
    assert len(api.tokens) == 2


def get(http):
    try:
        return http.get("/x").json()
    finally:
        connection.close()


def test_a_repeated_request_that_is_redirected_is_not_renewed_again(http, api):
    api.valid = "none"
    api.routes["/v1/a"] = lambda asked: (
        (401, {}, b"") if "token-1" in asked.headers["authorization"] else (302, {"Location": "/v1/b"}, b"")
    )

    answer = http.get("/a")

    assert answer.status_code == 401
    assert [asked.path for asked in api.asked] == ["/v1/a", "/v1/a", "/v1/b"]
    assert len(api.tokens) == 2
