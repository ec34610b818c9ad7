"""Connectors' logos, and what stands for one where there is none."""

from zlib import crc32

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from connectors.models import Connector, ConnectorQuerySet

COLOURS = 8
_DAY = 24 * 3600
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
)


def with_logo_known(connectors: ConnectorQuerySet) -> ConnectorQuerySet:
    """The connectors without their logos' bytes; each says in `has_logo` whether it has one."""
    has_logo = ExpressionWrapper(~Q(logo=b""), output_field=BooleanField())
    return connectors.defer("logo").annotate(has_logo=has_logo)


def colour_of(connector: Connector) -> int:
    """The number of the colour behind the initials: the same for ever, on every machine."""
    return crc32(connector.key.encode()) % COLOURS


def type_of(logo: bytes) -> str | None:
    """The media type of an image, read from its first bytes; None for what is no image that browsers know."""
    for signature, media_type in _SIGNATURES:
        if logo.startswith(signature):
            return media_type
    if logo[:4] == b"RIFF" and logo[8:12] == b"WEBP":
        return "image/webp"
    beginning = logo[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    return "image/svg+xml" if beginning.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in logo else None


@require_safe
def logo(request: HttpRequest, key: str) -> HttpResponse:
    """A connector's logo. Public: a definition holds nothing of a tenant."""
    connector = get_object_or_404(Connector.objects.only("logo", "updated_at"), key=key)
    content = bytes(connector.logo)
    media_type = type_of(content)
    if media_type is None:
        raise Http404
    return HttpResponse(
        content,
        content_type=media_type,
        headers={
            "Cache-Control": f"public, max-age={_DAY}",
            "Last-Modified": http_date(connector.updated_at.timestamp()),
            "X-Content-Type-Options": "nosniff",
            # An SVG that somebody opens by itself runs no script and loads nothing.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        },
    )
