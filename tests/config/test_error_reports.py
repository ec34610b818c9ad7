import sys

from django.test import RequestFactory
from django.views.debug import ExceptionReporter


def test_an_error_page_shows_neither_what_was_posted_nor_what_was_computed(settings):
    settings.DEBUG = True
    # Joined here, for the page quotes the lines of this very test.
    posted = "-".join(["s3cr3t", "posted"])
    request = RequestFactory().post("/connect/", {"client_secret": posted})
    try:
        computed = "-".join(["s3cr3t", "computed"])
        raise ValueError(f"failed with {len(computed)} characters")
    except ValueError:
        html = ExceptionReporter(request, *sys.exc_info()).get_traceback_html()

    assert "failed with 15 characters" in html
    assert posted not in html
    assert computed not in html
    assert settings.FERNET_KEYS[0] not in html
