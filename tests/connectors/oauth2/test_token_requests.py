import json
from base64 import b64decode
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.oauth2.client_authentication import authentication
from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.request import make_token_request
from tests.connectors.oauth2.definitions import given, method_of, rendering


def request_of(values=None, **parts):
    method = method_of(**parts)
    return make_token_request(method, given(method, **values or {}))


def sent(values=None, variables=(), **token_request):
    return request_of(values, variables=list(variables), token_request=token_request)


def form(request):
    return parse_qsl((request.body or b"").decode(), keep_blank_values=True, strict_parsing=bool(request.body))


OPTIONAL = [{"key": "audience", "required": False}]


def test_supplies_a_request_where_nothing_is_said():
    request = request_of()

    assert (request.method, request.url) == ("POST", "https://auth.example.com/token")
    assert request.body == b"grant_type=client_credentials&client_id=the-id&client_secret=the-secret"
    assert request.headers.get("content-type") == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers


def test_a_required_value_must_be_there():
    with pytest.raises(ValidationFailed):
        request_of({"client_secret": ""})


def test_a_form_takes_scalars_and_lists():
    request = sent(
        client_authentication="none",
        body={
            "text": "a b&c=ü",
            "yes": True,
            "no": False,
            "int": 7,
            "float": 1.5,
            "many": ["x", 2, True],
            "gone": None,
        },
    )

    assert request.body == b"text=a+b%26c%3D%C3%BC&yes=true&no=false&int=7&float=1.5&many=x&many=2&many=true"


def test_json_takes_anything():
    request = sent(
        body_format="json",
        client_authentication="none",
        body={
            "n": 7,
            "f": 1.5,
            "b": True,
            "null": None,
            "deep": {"list": ["{{client_id}}", {"x": "{{scope}}"}, "{{scope}}", []]},
            "num": "{{client_id}}",
        },
        values={"client_id": "42"},
    )

    assert json.loads(request.body) == {
        "n": 7,
        "f": 1.5,
        "b": True,
        "null": None,
        "deep": {"list": ["42", {}, []]},
        "num": "42",
    }
    assert request.headers.get("Content-Type") == "application/json"


def test_json_may_be_no_object():
    assert json.loads(sent(body_format="json", client_authentication="none", body=["{{client_id}}", 1]).body) == [
        "the-id",
        1,
    ]


def test_text_stands_as_it_is():
    request = sent(
        body_format="text",
        client_authentication="none",
        body="<id>{{client_id|xml}}</id>\n",
        values={"client_id": "ü&"},
    )

    assert request.body == "<id>ü&amp;</id>\n".encode()
    assert request.headers.get("Content-Type") == "text/plain; charset=utf-8"


def test_none_sends_no_body_and_no_content_type():
    request = sent(body_format="none", client_authentication="client_secret_basic")

    assert request.body is None
    assert "Content-Type" not in request.headers


@pytest.mark.parametrize(
    ("source", "kept"), [("{{audience}}", False), ("", True), ('{{audience or ""}}', True), ("x{{audience}}", True)]
)
def test_what_renders_to_nothing_is_left_out_unless_it_is_meant(source, kept):
    parts = {"client_authentication": "none", "variables": OPTIONAL}

    assert ("a" in dict(form(sent(body={"a": source, "b": "1"}, **parts)))) is kept
    assert ("a" in json.loads(sent(body_format="json", body={"a": source}, **parts).body)) is kept
    assert ("a=" in sent(query={"a": source}, **parts).url) is kept
    assert ("X-A" in sent(headers={"X-A": source}, **parts).headers) is kept


def test_null_takes_away_what_is_supplied():
    assert sent(body=None).body == b"client_id=the-id&client_secret=the-secret"
    assert sent(body={"client_id": None}).body == b"client_secret=the-secret"
    assert json.loads(sent(body_format="json", body={"client_secret": None, "x": None}).body) == {
        "client_id": "the-id",
        "x": None,
    }
    assert "Content-Type" not in sent(headers={"content-type": None}).headers
    assert "User-Agent" not in sent(headers={"User-Agent": None}).headers


@pytest.mark.parametrize("body_format", ["none", "form"])
def test_what_the_address_itself_states_is_not_added_to_its_query(body_format):
    url = "https://auth.example.com/token?client%5Fid={{client_id}}-x&a=1"

    request = sent(url=url, body_format=body_format, query={"b": "2"})

    there = "client%5Fid=the-id-x&a=1&b=2"
    assert request.url.partition("?")[2] == (f"{there}&client_secret=the-secret" if body_format == "none" else there)
    assert ("client_id", "the-id") in form(request) or body_format == "none"


def test_a_mapping_replaces_the_supplied_one_whole():
    assert form(sent(body={"a": "b"}, client_authentication="none")) == [("a", "b")]


def test_headers_may_say_another_content_type():
    request = sent(headers={"content-TYPE": "application/vnd.x+json"}, body_format="json")

    assert list(request.headers.all("Content-Type")) == ["application/vnd.x+json"]


def test_header_values_are_templates_and_never_two_fields():
    headers = {"X-Id": "id {{client_id}}"}

    assert sent({"client_id": "42"}, headers=headers).headers.get("X-Id") == "id 42"
    with pytest.raises(ValidationFailed) as refused:
        sent({"client_id": "42\r\nX-Evil: 1"}, headers=headers)
    assert set(refused.value.fields) == {"client_id"}


def test_query_adds_to_the_literal_query():
    url = sent(
        url="https://a.example/t?x=1&y={{scope}}",
        query={"z": ["a b", "{{client_id}}"], "w": True},
        values={"scope": "r w"},
    ).url

    assert url == "https://a.example/t?x=1&y=r%20w&z=a%20b&z=the-id&w=true"


@pytest.mark.parametrize(
    ("base", "url"),
    [("https://a.example", "https://a.example?x=1"), ("https://a.example/t?", "https://a.example/t?x=1")],
)
def test_query_stands_behind_any_address(base, url):
    assert sent(url=base, query={"x": "1"}).url == url


@pytest.mark.parametrize(
    ("encoding", "pair"),
    [("rfc6749", "a%3Ab%20c%2B%25:p%C3%A4ss%2F%26~"), ("raw", "a:b c+%:päss/&~")],
)
def test_basic_encodes_both_parts_before_they_are_joined(encoding, pair):
    request = sent(
        {"client_id": "a:b c+%", "client_secret": "päss/&~"},
        client_authentication="client_secret_basic",
        basic_encoding=encoding,
    )
    scheme, _, credentials = request.headers.get("Authorization").partition(" ")

    assert (scheme, b64decode(credentials).decode()) == ("Basic", pair)
    assert request.body == b"grant_type=client_credentials"


def test_a_null_does_not_take_the_client_s_proof_away():
    request = sent(client_authentication="client_secret_basic", headers={"Authorization": None})

    assert request.headers.get("Authorization").startswith("Basic ")


def test_post_puts_the_credentials_where_the_parameters_are():
    assert dict(form(sent()))["client_secret"] == "the-secret"
    assert json.loads(sent(body_format="json").body) == {
        "grant_type": "client_credentials",
        "client_id": "the-id",
        "client_secret": "the-secret",
    }
    got = sent(method="GET", body_format="none", query={"a": "1"})
    assert parse_qsl(urlsplit(got.url).query) == [("a", "1"), ("client_id", "the-id"), ("client_secret", "the-secret")]
    assert got.body is None


def test_post_says_nothing_twice():
    request = sent(body={"client_id": "x-{{client_id}}", "id": "{{client_id}}"})

    assert form(request) == [("client_id", "x-the-id"), ("id", "the-id"), ("client_secret", "the-secret")]


def test_none_adds_nothing():
    request = sent(client_authentication="none", headers={"Vendor-Key": "{{client_secret}}"})

    assert request.body == b"grant_type=client_credentials"
    assert request.headers.get("Vendor-Key") == "the-secret"


def test_an_odd_basic_can_be_written_by_hand():
    value = 'Basic {{(client_id|base64 ~ ":")|base64}}'
    with pytest.raises(ValueError, match="inside parentheses"):
        sent(client_authentication="none", headers={"Authorization": value})

    variables = [
        {"key": "id64", "display": "hidden", "default": "{{client_id|base64}}"},
        {"key": "secret64", "display": "hidden", "default": "{{client_secret|base64}}"},
    ]
    request = sent(
        client_authentication="none",
        headers={"Authorization": 'Basic {{(id64 ~ ":" ~ secret64)|base64}}'},
        variables=variables,
    )
    assert b64decode(request.headers.get("Authorization")[6:]) == b"dGhlLWlk:dGhlLXNlY3JldA=="


def test_the_token_url_may_stand_below_the_base_url():
    request = request_of(
        base_url="https://{{shop}}.example.com/api/",
        connector_variables=[{"key": "shop"}],
        token_request={"url": "{{base_url}}/token"},
        values={"shop": "Acme"},
    )

    assert request.url == "https://acme.example.com/api/token"


def test_the_same_values_make_the_same_request():
    parts = {"headers": {"X-Request": "{{uuid()}}", "X-Time": "{{now()}}"}}

    assert sent(**parts) == sent(**parts)


def test_a_proof_shows_no_secret():
    method = method_of(token_request={"client_authentication": "client_secret_basic"})

    assert "Basic" not in repr(
        authentication(method.definition.token_request).prove(rendering(client_secret="x"), "https://x")
    )
