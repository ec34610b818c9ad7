"""Instructions can format, link and picture; they can't script."""

import pytest

from connectors.markdown import render


def test_a_link_opens_apart_and_learns_nothing() -> None:
    html = render("[console](https://example.com)")

    assert 'href="https://example.com"' in html
    assert 'rel="noopener noreferrer"' in html


def test_a_picture_is_fetched_late_and_without_saying_from_where() -> None:
    html = render("![Where to click](https://example.com/a.png)")

    assert '<img src="https://example.com/a.png" alt="Where to click"' in html
    assert 'referrerpolicy="no-referrer"' in html


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "<javascript:alert(1)>",
    ],
)
def test_nothing_that_could_run_comes_through(source: str) -> None:
    html = render(source)

    assert "<script" not in html
    assert 'href="' not in html
    assert "<img src=x" not in html
    assert 'src="javascript' not in html


def test_headings_stand_below_the_pages_own() -> None:
    assert render("# One\n\n## Two\n") == "<h3>One</h3>\n<h4>Two</h4>\n"
