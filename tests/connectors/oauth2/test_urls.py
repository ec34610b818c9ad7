from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oauth2.errors import ResponseNotUnderstood, ValidationFailed
from connectors.oauth2.templates import TemplateError
from connectors.oauth2.urls import parse_url
from tests.connectors.oauth2.definitions import NOW, ONE_UUID, rendering

BASES = {"site", "base_url", "response.api_url"}


def render(source, **values):
    return parse_url(source, bases=BASES).render(rendering(**values))


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("https://auth.example.com/token", "https://auth.example.com/token"),
        ("https://Auth.Example.com", "https://auth.example.com"),
        ("HTTPS://auth.example.com/Token", "https://auth.example.com/Token"),
        ("http://localhost:8000/token", "http://localhost:8000/token"),
        ("https://[::1]:8443/token", "https://[::1]:8443/token"),
        ("https://{{shop}}.example.com/token", "https://acme.example.com/token"),
        ("https://{{host}}/token", "https://login.acme.example/token"),
        ("https://{{host}}:8443/token", "https://login.acme.example:8443/token"),
        ("https://a-{{shop}}-b.example.com", "https://a-acme-b.example.com"),
        ("https://{{shop}}{{shop}}.example.com", "https://acmeacme.example.com"),
        ("https://a.example/{{shop}}/x", "https://a.example/acme/x"),
        ("https://a.example/{{odd}}", "https://a.example/a%2Fb%20%3F%23%40%25%C3%A4%2B%26%3D"),
        ("https://a.example/t?x={{odd}}&y=1", "https://a.example/t?x=a%2Fb%20%3F%23%40%25%C3%A4%2B%26%3D&y=1"),
        ("https://a.example?x=1", "https://a.example?x=1"),
        ("https://a.example/ä?ö=%20", "https://a.example/%C3%A4?%C3%B6=%20"),
        ("{{site}}/token", "https://acme.example:8443/base/token"),
        ("{{site}}", "https://acme.example:8443/base"),
        ("{{site}}?x={{shop}}", "https://acme.example:8443/base?x=acme"),
        ("{{response.api_url}}/v2", "https://api.example/v2"),
        ('{{nothing or "https://eu.example"}}/t', "https://eu.example/t"),
        ('https://{{nothing or "eu"}}.example.com/t', "https://eu.example.com/t"),
    ],
)
def test_renders_addresses(source, url):
    values = {
        "shop": "acme",
        "host": "Login.ACME.example",
        "odd": "a/b ?#@%ä+&=",
        "site": "https://acme.example:8443/base/",
        "response.api_url": "https://api.example/",
    }
    template = parse_url(source, bases={*BASES, "nothing"})

    assert template.render(rendering(**values)) == url


@pytest.mark.parametrize(
    "source",
    [
        "",
        "auth.example.com/token",
        "/token",
        "ftp://a.example",
        "https://",
        "https:///token",
        "https://?x",
        "https://:80/",
        "https://a b.example",
        "https://a.example/a b",
        "https://a.example/\n",
        "https://a.example\\x",
        "https://a.example/#x",
        "https://me@a.example",
        "https://me:{{pw}}@a.example",
        "https://{{user}}@a.example",
        "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:x",
        "https://a.example:",
        "https://a.example:{{port}}/",
        "https://a.example:80{{port}}/",
        "https://a_b.example",
        "https://{{shop}}.a_b.example",
        "https://{{shop}}..example.com",
        "https://{{shop}}-.example.com",
        "https://[{{ip}}]/",
        "https://[::1]{{x}}/",
        "https://%61.example",
        "https://1.2.3.400",
        "{{shop}}/token",
        "{{shop}}.example.com/token",
        "{{site}}.evil.example/token",
        "{{site}}{{shop}}",
        "{{site|lower}}/token",
        '{{(site ~ "x")}}/token',
        '{{site or "eu.example"}}/token',
        "{{now()}}",
        "http{{s}}://a.example",
        "{{site",
    ],
)
def test_refuses_what_can_be_no_address_with_a_remedy(source):
    with pytest.raises(TemplateError) as refused:
        parse_url(source, bases=BASES)

    assert refused.value.remedy


@pytest.mark.parametrize(
    "value",
    [
        "evil.example/",
        "evil.example?",
        "evil.example#",
        "evil.example\\",
        "me@evil.example",
        "evil.example:443",
        "evil.example%2f",
        "evil.example\t",
        "a b",
        "a\r\nHost: b",
        "..",
        ".",
        "-",
        "a..b",
        "a.",
        "bücher",
        "",
        "a" * 64,
        ".".join(["a" * 60] * 4),
    ],
)
def test_a_host_takes_labels_and_nothing_else(value):
    with pytest.raises(ValidationFailed) as refused:
        render("https://{{shop}}.example.com/token", shop=value)

    assert set(refused.value.fields) == {"shop"}
    assert len(value) < 4 or value not in str(refused.value)


def test_a_text_in_a_placeholder_can_t_smuggle_either():
    with pytest.raises(ValidationFailed):
        render('https://{{"evil.example/"}}.example.com/')


@pytest.mark.parametrize("value", [".", "..", "%2e"])
def test_a_path_takes_no_dot_segment(value):
    if value == "%2e":
        assert render("https://a.example/{{a}}/x", a=value) == "https://a.example/%252e/x"
        return

    with pytest.raises(ValidationFailed, match="may not be"):
        render("https://a.example/{{a}}/x", a=value)


def test_dots_that_meet_in_a_path_are_refused_too():
    with pytest.raises(ValidationFailed):
        render("https://a.example/{{a}}.", a=".")


def test_dots_in_a_query_are_dots():
    assert render("https://a.example/x?a={{a}}", a="..") == "https://a.example/x?a=.."


@pytest.mark.parametrize(
    "value",
    [
        "",
        "acme.example",
        "https://a.example/?x",
        "https://a.example/#",
        "https://me@a.example",
        "ftp://a",
        "https://a b",
    ],
)
def test_an_opening_takes_an_address_and_nothing_else(value):
    with pytest.raises(ValidationFailed) as refused:
        render("{{site}}/token", site=value)

    assert set(refused.value.fields) == {"site"}
    assert refused.value.__context__ is None


@pytest.mark.parametrize("source", ["{{response.api_url}}/v2", "https://{{response.api_url}}/v2"])
def test_an_answer_that_makes_no_address_is_malformed(source):
    with pytest.raises(ResponseNotUnderstood, match=r"response\.api_url"):
        render(source, response__api_url="")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_values_survive_a_path_and_a_query(value):
    url = urlsplit(render("https://a.example/x-{{a}}?q={{a}}", a=value))

    assert (unquote(url.path), unquote(url.query), url.fragment) == (f"/x-{value}", f"q={value}", "")


@given(st.text(st.sampled_from("abc.-/@?#:%\\[] \n01") | st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_value_leaves_its_place_in_the_host(value):
    try:
        url = urlsplit(render("https://x.{{a}}.example.com:8443/token", a=value))
    except ValidationFailed:
        return

    assert url.netloc == f"x.{value.lower()}.example.com:8443"
    assert (url.path, url.query, url.fragment) == ("/token", "", "")


@given(st.text(st.sampled_from('{}htps:/[]@?#.%01abc\\-|" \n') | st.characters(), max_size=40))
def test_any_template_is_an_address_or_refused(source):
    for candidate in (source, f"https://{source}", f"{{{{site}}}}{source}"):
        try:
            parse_url(candidate, bases=BASES)
        except TemplateError:
            continue


@pytest.mark.parametrize(
    ("source", "origin"),
    [
        ("https://Auth.example.com/{{tenant}}/token", "https://auth.example.com"),
        ("https://auth.example.com:8443/token?a={{b}}", "https://auth.example.com:8443"),
        ("https://auth.example.com:443/token", "https://auth.example.com"),
        ("https://auth.example.com:0443/token", "https://auth.example.com"),
        ("https://auth.example.com:80/token", "https://auth.example.com:80"),
        ("http://auth.example.com:80/token", "http://auth.example.com"),
        ("https://{{tenant}}.example.com/token", ""),
        ("{{base_url}}/token", ""),
    ],
)
def test_an_address_whose_host_no_value_changes_has_a_fixed_origin(source, origin):
    assert parse_url(source, bases=BASES).fixed_origin == origin


def test_what_time_it_is_and_a_uuid_are_rendered_anew_each_time():
    url = parse_url("https://a.example/{{uuid()}}?at={{now()}}", bases=BASES)
    first, second = rendering(), replace(rendering(), now=NOW + timedelta(seconds=9), uuid=UUID(int=7))

    assert url.render(first) == f"https://a.example/{ONE_UUID}?at=1772719629"
    assert url.render(second) == f"https://a.example/{UUID(int=7)}?at=1772719638"
