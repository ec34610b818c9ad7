"""An API says that it is busy: `client()` waits, and makes the request again where that is safe."""

import copy
import io
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from tenants.client import ApiSession
from tenants.retries import Retries
from tests.tenants.api_server import Reply

pytestmark = pytest.mark.django_db

OK: Reply = (200, {}, b"{}")


@pytest.fixture
def waits():
    return []


@pytest.fixture
def patient(connect, waits):
    """A client whose waits are written down instead of waited for; without jitter."""

    def made(count=2, max_wait=30.0, **sections):
        made_of = connect(**sections).client()
        retries = Retries(count, max_wait, sleep=waits.append, uniform=lambda low, high: high)
        return ApiSession(made_of._read, made_of._refresh, retries=retries)

    return made


def says(api, *answers, path="/v1/x"):
    left = iter(answers)
    api.routes[path] = lambda asked: next(left)


def busy(status=429, **headers):
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, b"busy"


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_api_is_asked_again_when_it_wished(patient, api, waits, status):
    says(api, busy(status, Retry_After="7"), OK)

    answer = patient().get("/x")

    assert (answer.status_code, waits) == (200, [7.0])
    assert [response.status_code for response in answer.history] == [status]


def test_a_wish_can_be_a_date(patient, api, waits):
    says(api, busy(Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)), OK)

    patient().get("/x")

    assert waits[0] == pytest.approx(15, abs=6)


def test_without_a_wish_the_waits_grow(patient, api, waits):
    says(api, busy(), busy(503, Retry_After="soon"), OK)

    assert patient().get("/x").status_code == 200
    assert waits == [1.0, 2.0]


def test_waits_are_spread():
    assert len({Retries().uniform(0.5, 1.0) for _ in range(20)}) > 1


def test_attempts_are_counted(patient, api, waits):
    says(api, *[busy(Retry_After="0")] * 3)

    answer = patient().get("/x")

    assert (answer.status_code, len(api.asked), len(answer.history)) == (429, 3, 2)


@pytest.mark.parametrize("wishes", [("31",), ("86400",), ("20", "11")])
def test_what_takes_too_long_is_the_callers(patient, api, waits, wishes):
    says(api, *[busy(Retry_After=wish) for wish in wishes])

    answer = patient().get("/x")

    assert answer.headers["Retry-After"] == wishes[-1]
    assert len(waits) == len(wishes) - 1


def test_retries_can_be_switched_off(connect, api):
    says(api, busy(Retry_After="0"))

    with connect().client(retries=0) as http:
        assert http.get("/x").status_code == 429


@pytest.mark.parametrize("settled", [{"retries": -1}, {"max_wait": -1}])
def test_a_negative_number_is_refused(connect, settled):
    with pytest.raises(ValueError, match="can't be negative"):
        connect().client(**settled)


@pytest.mark.parametrize("status", [500, 502, 504, 400, 404])
def test_any_other_answer_is_the_callers(patient, api, waits, status):
    says(api, (status, {"Retry-After": "1"}, b""))

    assert patient().get("/x").status_code == status
    assert not waits


def test_a_broken_connection_is_the_callers(connect, api, waits):
    http = connect().client()
    api.routes["/v1/x"] = lambda asked: 1 / 0

    with pytest.raises(requests.exceptions.ConnectionError):
        http.get("/x")

    assert len(api.asked) == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_may_be_done_twice_is_repeated_without_a_wish(patient, api, waits, method):
    says(api, busy(), OK)

    assert patient().request(method, "/x").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_may_not_be_done_twice_is_repeated_only_on_a_wish(patient, api, waits, method):
    says(api, busy(), busy(Retry_After="1"), OK)
    http = patient()

    assert http.request(method, "/x", json={"a": 1}).status_code == 429
    assert http.request(method, "/x", json={"a": 1}).status_code == 200
    assert [asked.body for asked in api.asked] == [b'{"a": 1}'] * 3


def test_a_file_is_sent_again_whole(patient, api, waits):
    says(api, busy(Retry_After="1"), OK)

    patient().post("/x", data=io.BytesIO(b"content"))

    assert [asked.body for asked in api.asked] == [b"content"] * 2


def test_a_stream_that_can_not_be_sent_twice_leaves_the_answer(patient, api, waits):
    says(api, busy(Retry_After="1"))

    answer = patient().put("/x", data=iter([b"a", b"b"]))

    assert (answer.status_code, answer.text, waits) == (429, "busy", [])


def test_a_streamed_answer_is_waited_for_too(patient, api, waits):
    says(api, busy(Retry_After="1"), (200, {}, b"rows"))

    with patient().get("/x", stream=True) as answer:
        assert b"".join(answer.iter_content(2)) == b"rows"


def test_a_busy_answer_after_a_renewal_is_waited_for(patient, api, waits):
    says(api, (401, {}, b""), busy(Retry_After="3"), OK)

    answer = patient().get("/x")

    assert [one.status_code for one in (*answer.history, answer)] == [401, 429, 200]
    assert [asked.headers["authorization"][-1] for asked in api.asked] == ["1", "2", "2"]
    assert (waits, len(api.tokens)) == ([3.0], 2)


def test_a_token_that_is_turned_down_after_a_wait_is_renewed(patient, api, waits):
    says(api, busy(Retry_After="3"), (401, {}, b""), OK)

    answer = patient().get("/x")

    assert [one.status_code for one in (*answer.history, answer)] == [429, 401, 200]
    assert len(api.tokens) == 2


def test_one_request_renews_once_however_often_it_is_repeated(patient, api, waits):
    says(api, (401, {}, b""), busy(Retry_After="0"), (401, {}, b""))

    assert patient().get("/x").status_code == 401
    assert len(api.tokens) == 2


def test_a_request_goes_out_again_with_the_newest_token(patient, api, waits):
    http = patient()
    read = http._read

    def sleep(seconds):
        read().report_rejected()

    http._retries = Retries(sleep=sleep)
    says(api, busy(Retry_After="3"), OK)

    http.get("/x")

    assert [asked.headers["authorization"] for asked in api.asked] == ["Bearer token-1", "Bearer token-2"]


def test_only_the_hop_that_is_busy_is_repeated(patient, api, waits):
    api.routes["/v1/old"] = lambda asked: (302, {"Location": "/v1/x"}, b"")
    says(api, busy(Retry_After="1"), OK)

    answer = patient().get("/old")

    assert answer.status_code == 200
    assert [asked.path for asked in api.asked] == ["/v1/old", "/v1/x", "/v1/x"]


def test_a_busy_server_elsewhere_never_sees_the_token(patient, api, other_api, waits):
    api.routes["/v1/old"] = lambda asked: (302, {"Location": f"{other_api.url}/x"}, b"")
    says(other_api, busy(Retry_After="1"), OK, path="/x")

    answer = patient().get("/old")

    assert answer.status_code == 200
    assert len(other_api.asked) == 2
    assert "token-1" not in str(other_api.asked)


def test_a_clients_own_timeout_counts_unless_a_request_has_one(connect, monkeypatch):
    seen = []
    http = connect().client(timeout=(3, 40))
    send = http.get_adapter("http://x").send

    def watching(request, **kwargs):
        seen.append(kwargs["timeout"])
        return send(request, **kwargs)

    monkeypatch.setattr(http.get_adapter("http://x"), "send", watching)
    http.get("/x")
    http.get("/x", timeout=7)

    assert seen == [(3, 40), 7]


def test_cookies_are_one_sessions_own(connect, api):
    instance = connect()
    api.routes["/v1/in"] = lambda asked: (200, {"Set-Cookie": "visit=7; Path=/"}, b"")
    with instance.client() as one, instance.client() as other:
        one.get("/in")

        one.get("/x")
        other.get("/x")

    assert [asked.headers.get("cookie") for asked in api.asked] == [None, "visit=7", None]


def test_leaving_the_with_block_closes_the_connections(connect):
    with connect().client() as http:
        http.get("/x")
        pools = http.get_adapter("http://x").poolmanager.pools
        assert len(pools) == 1

    assert len(pools) == 0


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("made", ["client", "auth"])
def test_nothing_that_signs_is_pickled_or_copied(connect, take, made):
    signing = getattr(connect(), made)()

    with pytest.raises(TypeError, match="can't be pickled or copied"):
        take(signing)
