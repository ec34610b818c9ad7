"""Where a browser may be sent back to."""

import pytest

from integrations.redirects import problem_with, with_outcome

PREFIXES = ["https://app.example.com/", "https://other.example.com/app", "http://localhost:3000/"]


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.com/",
        "https://app.example.com",
        "https://APP.example.com:443/anything/below?with=query&and=more",
        "https://other.example.com/app",
        "https://other.example.com/app/",
        "https://other.example.com/app/done",
        "http://localhost:3000/done",
    ],
)
def test_what_lies_below_a_prefix_is_allowed(address):
    assert problem_with(address, PREFIXES) == ""


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://user:password@app.example.com/",
        "https://app.example.com\\@evil.example/",
        "https://evil.example\\.app.example.com/",
        "https://app.example.com:8443/",
        "http://app.example.com/",
        "http://localhost/done",
        "http://localhost:3001/",
        "https://other.example.com/apple",
        "https://other.example.com/",
        "https://other.example.com/app/../admin",
        "https://other.example.com/app/%2e%2e/admin",
        "https://other.example.com/app/..%2fadmin",
        "https://other.example.com/app%5c..%5cadmin",
        "//app.example.com/",
        "/done",
        "javascript:alert(1)//https://app.example.com/",
        "data:text/html,x",
        "https:app.example.com/",
        "https:///app.example.com/",
        "https://app.example.com/#fragment",
        "https://app.example.com/\r\nSet-Cookie: x",
        "https://app.example.com/ x",
        " https://app.example.com/",
        "https://\u0430pp.example.com/",
        "https://app.example.com:99999/",
        "https://[::1/",
        "https://",
        "",
        "https://app.example.com/" + "a" * 2000,
    ],
)
def test_what_leads_elsewhere_is_refused(address):
    assert problem_with(address, PREFIXES) != ""


def test_without_prefixes_nothing_is_allowed():
    assert "allowed_redirects" in problem_with("https://app.example.com/", [])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://app.example.com/done", "https://app.example.com/done?session=1&status=complete"),
        ("https://app.example.com", "https://app.example.com/?session=1&status=complete"),
        ("https://app.example.com/done?", "https://app.example.com/done?session=1&status=complete"),
        ("https://app.example.com/?a=b&a=c%20d&e", "https://app.example.com/?a=b&a=c%20d&e&session=1&status=complete"),
        ("https://app.example.com/?error=old&a=b", "https://app.example.com/?a=b&session=1&status=complete"),
        ("https://app.example.com/?status=old&a=b", "https://app.example.com/?a=b&session=1&status=complete"),
    ],
)
def test_the_outcome_is_added_to_whatever_query_there_is(address, expected):
    assert with_outcome(address, {"session": "1", "status": "complete"}) == expected
