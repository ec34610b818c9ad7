"""`auth=` signs what somebody else's session sends to the API, and nothing else."""

import io

import pytest
import requests
from requests.exceptions import UnrewindableBodyError

from tenants import connecting
from tenants.errors import CredentialsRefused, InstanceNotFound, NotConnected

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def url(api):
    return f"{api.url}/v1/x"


@pytest.fixture
def auth(connect):
    return connect().auth()


def test_a_request_is_signed(auth, session, api, url):
    answer = session.get(url, params={"a": 1}, auth=auth)

    assert answer.json() == {"token": "token-1"}
    assert api.last.query == {"a": ["1"]}


def test_a_whole_session_can_be_signed(auth, session, url):
    session.auth = auth

    assert [session.get(url).status_code for _ in range(2)] == [200, 200]


def test_the_query_can_sign(connect, session, api, url):
    auth = connect(api_request={"headers": {}, "query": {"api_key": "{{access_token}}"}}).auth()

    session.get(f"{url}?page=2", auth=auth)

    assert api.last.query == {"page": ["2"], "api_key": ["token-1"]}


def test_the_callers_own_headers_stay(connect, session, api, url):
    headers = {"Authorization": "Bearer {{access_token}}", "Accept": "application/vnd.api+json", "X-Kind": "theirs"}
    auth = connect(api_request={"headers": headers}).auth()

    session.get(url, auth=auth, headers={"x-kind": "mine"})
    session.get(url, auth=auth, headers={"accept": "text/csv"})

    assert [asked.headers["x-kind"] for asked in api.asked] == ["mine", "theirs"]
    assert [asked.headers["accept"] for asked in api.asked] == ["application/vnd.api+json", "text/csv"]


def test_another_origin_is_refused(auth, session, api, other_api):
    with pytest.raises(ValueError, match="The token is for"):
        session.get(f"{other_api.url}/x", auth=auth)

    assert not other_api.asked


def test_a_rejected_token_is_renewed_once_and_the_request_repeated(auth, session, api, url):
    api.revoke()

    answer = session.get(url, auth=auth)

    assert answer.json() == {"token": "token-2"}
    assert [one.status_code for one in answer.history] == [401]
    assert answer.history[0].request.headers["Authorization"] == "Bearer token-1"
    assert answer.request.headers["Authorization"] == "Bearer token-2"


def test_an_api_that_goes_on_refusing_is_asked_twice_and_no_more(auth, session, api, url):
    api.valid = "none"

    answer = session.get(url, auth=auth)

    assert answer.status_code == 401
    assert (len(api.asked), len(api.tokens)) == (2, 2)


def test_each_request_may_renew(auth, session, api, url):
    for count in (2, 3):
        api.revoke()

        assert session.get(url, auth=auth).json() == {"token": f"token-{count}"}


def test_a_renewal_that_is_refused_says_so(auth, session, api, url):
    api.revoke()
    api.is_token_refused = True

    with pytest.raises(CredentialsRefused):
        session.get(url, auth=auth)


def test_a_body_is_sent_again_whole(auth, session, api, url):
    api.revoke()

    session.post(url, data=io.BytesIO(b"content"), auth=auth)

    assert [asked.body for asked in api.asked] == [b"content"] * 2


def test_a_body_that_can_not_be_sent_twice_is_not_repeated_and_says_so(auth, session, api, url):
    api.revoke()

    with pytest.raises(UnrewindableBodyError, match="Make it again"):
        session.post(url, data=iter([b"a"]), auth=auth)

    assert session.post(url, data=iter([b"a"]), auth=auth).status_code == 200


def test_cookies_come_along(auth, session, api, url):
    says = iter([(401, {"Set-Cookie": "visit=7; Path=/"}, b""), (200, {}, b"{}"), (200, {}, b"{}")])
    api.routes["/v1/x"] = lambda asked: next(says)

    session.get(url, auth=auth)
    session.get(url, auth=auth)

    assert [asked.headers.get("cookie") for asked in api.asked] == [None, "visit=7", "visit=7"]


@pytest.mark.parametrize("query", [{}, {"api_key": "{{access_token}}"}])
def test_a_redirect_within_the_api_stays_signed(connect, session, api, url, query):
    headers = {} if query else {"Authorization": "Bearer {{access_token}}"}
    auth = connect(api_request={"headers": headers, "query": query}).auth()
    api.routes["/v1/x"] = lambda asked: (302, {"Location": "/v1/new"}, b"")

    answer = session.get(url, auth=auth)

    assert answer.json() == {"token": "token-1"}
    assert len(api.tokens) == 1


def test_a_redirect_after_a_renewal_goes_on_with_the_new_token(auth, session, api, url):
    api.routes["/v1/x"] = lambda asked: (
        (401, {}, b"") if "token-1" in str(asked.headers) else (307, {"Location": "/v1/new"}, b"")
    )

    answer = session.get(url, auth=auth)

    assert answer.json() == {"token": "token-2"}
    assert [asked.path for asked in api.asked] == ["/v1/x", "/v1/x", "/v1/new"]


@pytest.mark.parametrize("first", ["here", "after a hop", "after a renewal"])
def test_a_redirect_elsewhere_loses_all_that_signs(connect, session, api, other_api, url, first):
    signs = {"Authorization": "Bearer {{access_token}}", "X-Token": "{{access_token}}"}
    auth = connect(api_request={"headers": signs, "query": {"api_key": "{{access_token}}"}}).auth()
    away = (307, {"Location": f"{other_api.url}/new?a=1"}, b"")
    hop = {"after a hop": (302, {"Location": "/v1/y"}, b""), "after a renewal": (401, {}, b"")}
    says = iter([hop[first]] if first in hop else [])
    api.routes["/v1/x"] = api.routes["/v1/y"] = lambda asked: next(says, away)
    other_api.routes["/new"] = lambda asked: (401, {}, b"")

    answer = session.get(url, auth=auth)

    assert answer.status_code == 401
    assert "token-" not in str(other_api.asked)
    assert (other_api.last.query, len(other_api.asked)) == ({"a": ["1"]}, 1)


def test_what_comes_back_from_elsewhere_is_unsigned(connect, session, api, other_api, url):
    auth = connect(api_request={"headers": {"X-Token": "{{access_token}}"}}).auth()
    api.routes["/v1/x"] = lambda asked: (307, {"Location": f"{other_api.url}/y"}, b"")
    other_api.routes["/y"] = lambda asked: (307, {"Location": f"{api.url}/v1/z"}, b"")

    session.get(url, auth=auth)

    assert "token-1" not in str(api.last.headers)


def test_a_paused_or_removed_instance_is_not_signed_for(connect, session, api, url):
    instance = connect()
    auth = instance.auth()

    connecting.pause(instance)
    with pytest.raises(NotConnected):
        session.get(url, auth=auth)
    connecting.remove(instance)
    with pytest.raises(InstanceNotFound):
        session.get(url, auth=auth)

    assert not api.asked


def test_nobody_elses_request_is_signed(auth, session, api, url):
    session.get(url, auth=auth)

    answer = session.get(url)

    assert answer.status_code == 401
    assert "authorization" not in api.last.headers
    assert len(api.tokens) == 1
