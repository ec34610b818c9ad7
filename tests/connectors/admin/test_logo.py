"""A connector's logo: a small picture by its first bytes."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


def upload(page, zoom, content, name="logo.png"):
    return page.save(zoom, {"logo_file": SimpleUploadedFile(name, content, "image/png")})


def test_a_picture_is_stored(page, zoom):
    response = upload(page, zoom, PNG)

    zoom.refresh_from_db()
    assert response.status_code == 302
    assert bytes(zoom.logo) == PNG


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"MZ" + PNG, b"", PNG + b"\x00" * 65_536])
def test_anything_else_is_refused(page, zoom, content):
    upload(page, zoom, content)

    zoom.refresh_from_db()
    assert bytes(zoom.logo) == b""


def test_a_logo_can_be_removed(page, zoom):
    upload(page, zoom, PNG)

    page.save(zoom, {"remove_logo": "on"})

    zoom.refresh_from_db()
    assert bytes(zoom.logo) == b""
