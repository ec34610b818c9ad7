"""Connectors' logos, served as what they are."""

import pytest
from django.test import Client
from django.urls import reverse

from connectors.models import Connector
from tenants.wizard.logos import colour_of, type_of

PNG = b"\x89PNG\r\n\x1a\nrest"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("logo", "media_type"),
    [
        (PNG, "image/png"),
        (SVG, "image/svg+xml"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<html><svg></svg>", None),
        (b"", None),
    ],
)
def test_the_type_is_read_from_the_bytes(logo: bytes, media_type: str | None) -> None:
    assert type_of(logo) == media_type


def test_a_logo_is_kept_by_browsers_and_can_run_nothing(connector: Connector) -> None:
    Connector.objects.update(logo=SVG)

    response = Client().get(reverse("wizard:logo", args=["zoom"]))

    assert response.content == SVG
    assert response["Content-Type"] == "image/svg+xml"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("public, max-age=")
    assert "sandbox" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]


def test_a_connector_without_a_logo_has_none(connector: Connector) -> None:
    assert Client().get(reverse("wizard:logo", args=["zoom"])).status_code == 404


def test_the_colour_depends_on_the_key_alone() -> None:
    assert colour_of(Connector(key="zoom", name="Zoom")) == colour_of(Connector(key="zoom", name="Other"))


def test_where_there_is_a_logo_the_list_shows_it(
    connector: Connector, method: object, browser_of_owner: Client
) -> None:
    without = browser_of_owner.get(reverse("wizard:choose-connector", args=["acme"])).content.decode()
    Connector.objects.update(logo=PNG)
    having = browser_of_owner.get(reverse("wizard:choose-connector", args=["acme"])).content.decode()

    assert "/connectors/zoom/logo" not in without
    assert ">Zo</span>" in without
    assert "/connectors/zoom/logo?v=" in having
