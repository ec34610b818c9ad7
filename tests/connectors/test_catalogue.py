"""Every entry of the catalogue: what holds for all of them, and what each sends to its provider.

`python -m tests.connectors.catalogue_rendering KEY` records what an entry sends; see there.
"""

import re
from functools import cache
from urllib.parse import urlsplit

import pytest

from connectors import ready_made
from connectors.oauth2.checks import check_connector
from connectors.oauth2.exchange import ask
from connectors.oauth2.expressions import Expression, Name
from connectors.oauth2.method import Method
from connectors.oauth2.patterns import compile_pattern
from connectors.oauth2.request import api_signature, make_test_request, make_token_request
from connectors.oauth2.templates import parse
from connectors.oauth2.urls import UrlTemplate
from connectors.oauth2.values import check_given, missing
from tests.connectors.catalogue_assertions import without_jwt, without_keys
from tests.connectors.catalogue_rendering import (
    FOLDER,
    NOW,
    as_sent,
    expectations,
    given,
    kept_by_steps,
    methods,
    rendering,
    steps_as_sent,
)
from tests.connectors.catalogue_stand_in import shaped, stand_in, step_answers

KEYS = ready_made.keys()
# As recorded: to parse every entry would take every process of a test run a second, whatever it is to run.
METHODS = [pytest.param(key, name, id=f"{key}-{name}") for key in KEYS for name in expectations(key)]
CATEGORIES = {
    *("accounting", "commerce", "communication", "content", "data", "developer", "finance", "government", "health"),
    *("hr", "identity", "industry", "it-management", "logistics", "marketing", "productivity", "security", "service"),
    *("social", "travel"),
}


@pytest.fixture(scope="module")
def provider():
    with stand_in() as served:
        yield served


@pytest.fixture
def method(key, name):
    return _methods(key)[name]


@cache
def _methods(key: str) -> dict[str, Method]:
    return {method.definition.key: method for method in methods(ready_made.entry(key))}


@pytest.mark.parametrize("key", KEYS)
def test_an_entry_says_what_it_is_and_where_that_is_documented(key):
    entry = ready_made.entry(key)
    text = ready_made.file_of(key).read_text()

    assert check_connector(entry) == []
    assert entry.documentation_url.startswith("https://")
    assert re.fullmatch(r"[A-Z].*\.", entry.description)
    assert entry.category in CATEGORIES
    assert entry.base_url
    assert "\n# Confirmed: " in f"\n{text}"
    assert "\n# Not found: " in f"\n{text}"


@pytest.mark.parametrize(("key", "name"), METHODS)
def test_a_tenants_user_is_told_what_to_type_and_where_it_is_found(key, method):
    steps = re.findall(r"^\d+\. .+", method.definition.instructions, re.MULTILINE)

    assert len(steps) >= 2
    for variable in method.asked:
        assert variable.display != "hidden" or variable.default or variable.default_from_env
        assert variable.is_typed_by_tenant is False or variable.label
        own = variable.key not in ("client_id", "client_secret", "grant_type", "token_key")
        if own and variable.display == "editable":
            assert variable.help_text, f"{variable.key} has no help text"
        if variable.example:
            assert check_given(method, {variable.key: variable.example}) == {}


@pytest.mark.parametrize(("key", "name"), METHODS)
def test_a_tenant_can_lead_a_request_only_to_hosts_of_the_provider(key, method):
    for address in filter(None, (*method.request_urls, method.base_url, method.test_url)):
        assert _is_pinned(method, address), f"{address.source} leads anywhere"


@pytest.mark.parametrize(("key", "name"), METHODS)
def test_what_an_entry_sends_is_what_was_recorded(key, method):
    recorded = expectations(key)[method.definition.key]
    rendered = rendering(method)

    request = make_token_request(method, rendered)

    assert check_given(method, given(method)) == {}
    assert missing(method, rendered) == []
    assert without_keys(given(method)) == recorded["given"]
    assert as_sent(request) == recorded["request"]
    assert steps_as_sent(method) == recorded.get("steps", [])
    assert urlsplit(request.url).scheme == "https"


@pytest.mark.parametrize(("key", "name"), METHODS)
def test_every_choice_can_be_sent(key, method):
    for variable in method.asked:
        for option in variable.options:
            rendered = rendering(method, **{variable.key: option.value})

            assert check_given(method, {variable.key: option.value}) == {}
            assert urlsplit(make_token_request(method, rendered).url).hostname


@pytest.mark.parametrize(("key", "name"), METHODS)
def test_a_token_is_bought_of_a_stand_in_and_signs_a_request(key, method, provider):
    recorded = expectations(key)[method.definition.key]
    rendered = rendering(method)
    path = parse(method.definition.token_response.access_token).render(rendered)
    steps = step_answers(method, kept_by_steps(method))
    provider.answers(recorded.get("answer") or shaped(method, path), path, steps)

    grant = ask(method, rendering(method), send=provider.send, clock=lambda: NOW)
    signature = api_signature(method, rendered, grant)
    test = make_test_request(method, rendered, grant)

    expected = [*recorded.get("steps", []), recorded["request"]]
    assert len(provider.asked) == len(expected)
    for asked, wanted in zip(provider.asked, expected, strict=True):
        assert (asked["method"], asked["url"]) == (wanted["method"], wanted["url"])
        assert without_jwt(asked["body"]) == (wanted["body"] or "")
        for name, value in wanted["headers"].items():
            assert asked["headers"][name.lower()] == value
    assert ("dpop" in provider.asked[-1]["headers"]) is method.definition.token_request.dpop
    assert grant.access_token == "T0KEN"
    assert (grant.expires_at is not None) is _lives_for_a_time(method)
    assert "T0KEN" in str(signature.headers) + str(signature.query)
    assert signature.base_url.startswith("https://")
    if test is not None:
        assert test.url.startswith((signature.base_url, "https://"))


def test_the_recorded_expectations_are_of_the_entries_that_exist():
    assert sorted(file.stem for file in FOLDER.glob("*.json")) == KEYS


def test_every_method_of_every_entry_is_recorded():
    recorded = {key: list(expectations(key)) for key in KEYS}

    assert {key: list(_methods(key)) for key in KEYS} == recorded


def test_an_unknown_key_is_answered_with_the_nearest():
    with pytest.raises(ready_made.NotInCatalogue, match=r"no connector “trustpilott”\. Did you mean trustpilot\?"):
        ready_made.entry("trustpilott")


def test_the_list_holds_every_entry_once_under_its_category():
    listed = dict(ready_made.by_category())

    assert sorted(entry.key for entries in listed.values() for entry in entries) == KEYS
    assert all(entry.category == category for category, entries in listed.items() for entry in entries)


def _lives_for_a_time(method: Method) -> bool:
    response = method.definition.token_response
    return bool(response.expires_in or response.expires_at or response.default_lifetime)


def _is_pinned(method: Method, address: UrlTemplate) -> bool:
    """Whether whatever a tenant types leads to the provider, or was meant to be any host of the tenant's own."""
    if address.opening is not None:
        return all(_is_pinned_name(method, name) for name in address.host_names)
    *_, last = address.host
    return _is_domain(last) or all(_is_pinned_name(method, name) for name in _names(address.host))


def _names(parts: tuple[str | Expression, ...]) -> set[str]:
    return {
        term.atom.name for p in parts if isinstance(p, Expression) for term in p.terms if isinstance(term.atom, Name)
    }


def _is_domain(last: str | Expression) -> bool:
    """A literal domain behind what is filled in: `.example.com`, or the whole literal host."""
    return isinstance(last, str) and last.count(".") >= 1 and len(last.strip(".").split(".")) >= 2


def _is_pinned_name(method: Method, name: str) -> bool:
    if name == "base_url":
        assert method.base_url is not None
        return _is_pinned(method, method.base_url)
    if "." in name:
        return True  # the provider's own word
    variable = method.by_key[name]
    if variable.options or not variable.is_typed_by_tenant:
        return True
    if not variable.pattern:
        return False
    # A pattern counts where a foreign host doesn't match it, unless the service runs on the tenant's own host.
    foreign = "https://evil.example.org" if variable.format == "url" else "evil.example.org"
    return not compile_pattern(variable.pattern).fullmatch(foreign) or "own host" in variable.help_text
