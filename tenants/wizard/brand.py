"""Whose name, logo and colours the pages carry."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.templatetags.static import static


@dataclass(frozen=True)
class Brand:
    """What a page shows of who runs it. `stylesheet_url` may set the colours that pages.css names."""

    name: str
    logo_url: str
    support_url: str = ""
    stylesheet_url: str = ""


def brand(request: HttpRequest) -> dict[str, Brand]:
    """The brand, for every template (a context processor): that of the domain, where it has one of its own."""
    own: Brand | None = getattr(request, "brand", None)
    return {"brand": own or Brand(name="Latchkey", logo_url=static("latchkey/logo.svg"))}
