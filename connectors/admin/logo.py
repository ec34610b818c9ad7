"""A connector's logo as it is uploaded."""

from base64 import b64encode
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminFileFieldWidget

MAX_SIZE = 64 * 1024  # bytes
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def media_type_of(content: bytes) -> str:
    """The kind of picture, by its first bytes; empty if it is none that a logo can be."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for signature, media_type in _SIGNATURES if content.startswith(signature)), "")


class LogoField(forms.FileField):
    """A picture; cleans to its bytes, or None where none was uploaded."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminFileFieldWidget({"accept": "image/png,image/jpeg,image/webp,image/gif"})
        super().__init__(required=False, allow_empty_file=True, widget=widget, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> bytes | None:
        uploaded = super().clean(data, None)
        if not uploaded:
            return None
        if uploaded.size > MAX_SIZE:
            raise ValidationError(
                f"This file has {uploaded.size / 1024:,.0f} KB; a logo may have {MAX_SIZE // 1024} KB. "
                "Make it smaller: a square of 256 pixels is plenty.",
                code="size",
            )
        content: bytes = uploaded.read()
        if not media_type_of(content):
            raise ValidationError("This is no PNG, JPEG, WebP or GIF picture. Choose another file.", code="type")
        return content


def picture(content: bytes, name: str) -> SafeString:
    """The logo itself, for a page that shows it before it is published anywhere."""
    media_type = media_type_of(content)
    if not media_type:
        return format_html("{}", "None: the connector's initials are shown.")
    return format_html(
        '<img class="lk-logo" src="data:{};base64,{}" alt="Logo of {}">', media_type, b64encode(content).decode(), name
    )
