"""What `client()` sends to a real API, and what it makes of the answers."""

import logging
import threading

import pytest
import requests

from connectors.models import Variable
from connectors.oauth2.errors import AddressRefused
from tenants import connecting
from tenants.errors import InstanceNotFound, NotConnected
from tenants.models import Instance, Token
from tests.tenants.provider import make_method

pytestmark = pytest.mark.django_db

VALUES = {"client_id": "id", "client_secret": "s3cret-value"}


@pytest.mark.parametrize("path", ["/users/me", "users/me"])
def test_a_path_is_put_behind_the_base_url_and_signed(http, api, path):
    answer = http.get(path, params={"page": 2})

    assert answer.status_code == 200
    assert (api.last.path, api.last.query) == ("/v1/users/me", {"page": ["2"]})
    assert api.last.headers["authorization"] == "Bearer token-1"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/v1"), ("?a=1", "/v1"), ("items:search", "/v1/items:search"), ("//evil.example/x", "/v1//evil.example/x")],
)
def test_what_is_no_whole_address_is_relative(http, api, path, expected):
    http.get(path)

    assert api.last.path == expected


def test_a_whole_address_of_the_api_is_signed(http, api):
    http.get(f"{api.url}/elsewhere")

    assert api.last.path == "/elsewhere"
    assert api.last.headers["authorization"] == "Bearer token-1"


@pytest.mark.parametrize("spelling", ["{other}/x", "{other}\\@{own}/x", "http://{own}@127.0.0.1:1/x"])
def test_a_token_goes_to_no_other_origin(http, api, other_api, spelling):
    own = api.url.removeprefix("http://")

    with pytest.raises(ValueError, match="The token is for"):
        http.get(spelling.format(other=other_api.url, own=own))

    assert not api.asked
    assert not other_api.asked


@pytest.mark.parametrize("address", ["ftp://example.com/x", "file:///etc/passwd", "ws+tls://example.com"])
def test_an_address_of_another_scheme_is_no_path_of_the_api(http, api, address):
    with pytest.raises(ValueError, match="not one of http or https"):
        http.get(address)

    assert not api.asked


def test_without_a_base_url_only_whole_addresses_will_do(connect, api):
    http = connect(base_path=None).client()

    with pytest.raises(ValueError, match="no base URL"):
        http.get("/users/me")
    http.get(f"{api.url}/users/me")

    assert api.last.headers["authorization"] == "Bearer token-1"


def test_a_redirect_within_the_api_stays_signed(connect, api):
    http = connect(api_request={"headers": {"X-Token": "{{access_token}}"}, "query": {"api_key": "{{access_token}}"}})
    http = http.client()
    api.routes["/v1/old"] = lambda asked: (302, {"Location": "/v1/new?page=1&api_key=token-1"}, b"")

    answer = http.get("/old")

    assert answer.status_code == 200
    assert api.last.headers["x-token"] == "token-1"
    assert api.last.query == {"page": ["1"], "api_key": ["token-1"]}


def test_a_redirect_elsewhere_loses_all_that_signs(connect, api, other_api):
    instance = connect(
        api_request={
            "headers": {"Authorization": "Bearer {{access_token}}", "X-Token": "{{access_token}}"},
            "query": {"api_key": "{{access_token}}"},
        }
    )
    other_api.routes["/new"] = lambda asked: (401, {}, b"")
    api.routes["/v1/old"] = lambda asked: (307, {"Location": f"{other_api.url}/new?a=1&api_key=token-1"}, b"")

    answer = instance.client().get("/old")

    assert answer.status_code == 401
    assert "token-1" not in str(other_api.last)
    assert other_api.last.query == {"a": ["1"]}
    assert not Token.objects.get().is_rejected
    assert len(api.tokens) == 1


def test_only_the_hop_that_was_turned_down_is_repeated(http, api):
    api.routes["/v1/orders"] = lambda asked: (303, {"Location": "/v1/orders/1"}, b"")
    api.revoke()

    answer = http.post("/orders", json={"a": 1})

    assert answer.json() == {"token": "token-2"}
    assert [(asked.method, asked.path) for asked in api.asked] == [
        ("POST", "/v1/orders"),
        ("GET", "/v1/orders/1"),
        ("GET", "/v1/orders/1"),
    ]


def test_a_redirected_request_is_renewed_once_however_many_hops_refuse(http, api):
    api.valid = "none"
    api.routes["/v1/a"] = lambda asked: (302, {"Location": "/v1/b"}, b"")

    answer = http.get("/a")

    assert answer.status_code == 401
    assert len(api.tokens) == 2


def test_the_callers_own_headers_stay(http, api):
    http.headers["X-Trace"] = "session"

    http.get("/x", headers={"Accept": "text/csv"})

    assert (api.last.headers["accept"], api.last.headers["x-trace"]) == ("text/csv", "session")


@pytest.mark.parametrize("own", [{"headers": {"authorization": "Basic eDp5"}}, {"auth": ("x", "y")}])
def test_a_request_that_the_caller_signs_says_nothing_of_our_token(http, api, own):
    answer = http.get("/x", **own)

    assert answer.status_code == 401
    assert api.last.headers["authorization"] == "Basic eDp5"
    assert (len(api.asked), len(api.tokens)) == (1, 1)


def test_a_header_of_the_definition_wins_over_the_usual_one(connect, api):
    headers = {"Authorization": "Bearer {{access_token}}", "Accept": "application/vnd.api+json"}
    http = connect(api_request={"headers": headers}).client()

    http.get("/x")

    assert api.last.headers["accept"] == "application/vnd.api+json"


def test_an_address_that_is_not_allowed_is_refused(connect, settings):
    instance = connect()
    settings.OUTBOUND_ALLOWED_HOSTS = []

    with pytest.raises(AddressRefused):
        instance.client().get("/users/me")


def test_a_request_without_a_timeout_ends_all_the_same(connect, api, settings):
    settings.OUTBOUND_TIMEOUT = 0.2
    gate = threading.Event()
    api.routes["/v1/slow"] = lambda asked: (gate.wait(5), (200, {}, b""))[1]

    try:
        with pytest.raises(requests.Timeout):
            connect().client().get("/slow")
    finally:
        gate.set()


def test_a_session_follows_a_renewal_made_elsewhere(http, api):
    http.get("/x")
    connecting.check_now(Instance.objects.get())

    assert http.get("/x").json() == {"token": "token-2"}
    assert len(api.asked) == 2


def test_a_session_ends_with_a_pause_or_a_removal(http, api):
    connecting.pause(Instance.objects.get())
    with pytest.raises(NotConnected, match="paused"):
        http.get("/x")

    connecting.remove(Instance.objects.get())
    with pytest.raises(InstanceNotFound, match="removed"):
        http.get("/x")

    assert not api.asked


def test_nothing_that_is_told_of_a_request_shows_the_token(connect, api):
    http = connect(api_request={"query": {"api_key": "{{access_token}}", "v": "1"}}).client()
    api.valid = "none"
    answer = http.get("/x", params={"page": 1})
    with pytest.raises(requests.HTTPError) as status:
        answer.raise_for_status()
    api.routes["/v1/slow"] = lambda asked: (threading.Event().wait(0.5), (200, {}, b""))[1]
    with pytest.raises(requests.Timeout) as late:
        http.get("/slow", timeout=0.1)

    shown = [repr(http), repr(answer), answer.url, str(status.value), str(late.value), repr(late.value)]

    assert not any("token-" in text for text in shown)
    assert late.value.__context__ is None
    assert answer.url.endswith("/x?page=1&api_key=[hidden]&v=[hidden]")


def test_no_log_shows_a_token_that_stands_in_the_query(connect, api, caplog):
    http = connect(api_request={"query": {"api_key": "{{access_token}}"}}).client()
    api.routes["/v1/old"] = lambda asked: (302, {"Location": "/v1/new"}, b"")

    with caplog.at_level(logging.DEBUG):
        http.get("/x", params={"page": 1})
        http.get("/old")

    assert "/v1/x?page=1&api_key=[hidden]" in caplog.text
    assert "/v1/new?api_key=[hidden]" in caplog.text
    assert "token-" not in caplog.text


def test_a_base_address_that_holds_a_secret_is_shown_nowhere(api, tenant, settings, caplog):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    method = make_method(token_request={"url": f"{api.url}/token"})
    method.connector.base_url = f"{api.url}/hook/{{{{room}}}}/v1"
    method.connector.save()
    Variable.objects.create(connector=method.connector, key="room", label="Room", secret=True)
    instance = connecting.connect(tenant, method, values={**VALUES, "room": "s3cret room"})
    api.routes["/hook/s3cret%20room/v1/slow"] = lambda asked: (threading.Event().wait(0.5), (200, {}, b""))[1]

    with caplog.at_level(logging.DEBUG), instance.client() as http:
        answer = http.get("/me")
        with pytest.raises(requests.Timeout) as late:
            http.get("/slow", timeout=0.1)

    assert instance.credentials().base_url == f"{api.url}/hook/s3cret%20room/v1"
    assert answer.url == f"{api.url}/[hidden]/me"
    shown = [repr(instance.credentials()), repr(answer), answer.url, repr(late.value), caplog.text]
    assert not any("s3cret" in text for text in shown)


def test_a_request_can_be_made_again_by_its_caller(http, api):
    request = requests.Request("GET", "/x")

    for _ in range(2):
        assert http.send(http.prepare_request(request)).status_code == 200

    assert request.url == "/x"
