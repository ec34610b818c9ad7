"""Which other ways to send a request are worth trying after which failure, and in what order."""

import pytest

from connectors.oauth2.alternatives import is_better, with_alternative, worth_trying
from connectors.oauth2.errors import ProviderUnavailable
from connectors.oauth2.trial import try_out
from tests.connectors.oauth2.definitions import NOW, answer, given, method_of


def failed(status=401, code="invalid_client", values=None, **request):
    method = method_of(token_request=request)
    response = answer({"error": code} if code else {}, status)
    return try_out(method, given(method, **(values or {})), send=lambda sent: response, clock=lambda: NOW)


def ways(trial):
    return [alternative.way for alternative in worth_trying(trial)]


def test_a_refused_client_is_presented_in_another_way_first():
    assert ways(failed()) == [
        ("client_secret_basic", "rfc6749", "form"),
        ("client_secret_post", "rfc6749", "json"),
        ("client_secret_basic", "rfc6749", "json"),
    ]


@pytest.mark.parametrize(("status", "code"), [(400, "unsupported_grant_type"), (415, ""), (400, "invalid_request")])
def test_a_request_that_was_not_understood_is_written_in_another_way_first(status, code):
    assert ways(failed(status, code))[0] == ("client_secret_post", "rfc6749", "json")


def test_basic_without_encoding_is_tried_only_where_it_differs():
    plain = ways(failed(client_authentication="client_secret_basic"))
    special = ways(failed(client_authentication="client_secret_basic", values={"client_secret": "a:b%c+d"}))

    assert not any(way[1] == "raw" for way in plain)
    assert ("client_secret_basic", "raw", "form") in special[:2]


@pytest.mark.parametrize(
    ("status", "code"), [(400, "invalid_scope"), (404, ""), (429, ""), (503, ""), (200, ""), (400, "invalid_grant")]
)
def test_nothing_is_tried_where_it_can_t_be_the_cause(status, code):
    assert ways(failed(status, code)) == []


def test_nothing_is_tried_where_nobody_answered():
    def silent(request):
        raise ProviderUnavailable("No answer.")

    method = method_of()

    assert ways(try_out(method, given(method), send=silent, clock=lambda: NOW)) == []


@pytest.mark.parametrize(
    "request_",
    [
        {"client_authentication": "none", "body_format": "json", "body": {"a": {"b": "{{client_id}}"}}},
        {"client_authentication": "none", "body_format": "none"},
        {"client_authentication": "none", "body_format": "text", "body": "{{client_id}}"},
    ],
)
def test_what_the_document_places_itself_is_left_alone(request_):
    assert ways(failed(**request_)) == []


def test_an_alternative_is_the_same_method_but_for_how_it_is_sent():
    trial = failed(body_format="json", headers={"Content-Type": "application/json", "X-A": "1"}, query={"q": "1"})
    chosen = next(one for one in worth_trying(trial) if one.way == ("client_secret_post", "rfc6749", "form"))

    changed = with_alternative(trial.method, chosen).definition.token_request

    assert chosen.changes == {"body_format": "form"}
    assert (changed.body_format, changed.headers, changed.query) == ("form", {"X-A": "1"}, {"q": "1"})
    assert trial.method.definition.token_request.body_format == "json"


def test_an_error_that_comes_only_behind_the_client_s_check_is_progress():
    assert is_better(failed(), failed(400, "invalid_scope"))
    assert not is_better(failed(), failed(401, "invalid_client"))
    assert not is_better(failed(), failed(400, "invalid_request"))
