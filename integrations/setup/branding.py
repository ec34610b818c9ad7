"""What a brand brings to the pages: its name, its logo and its colours."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from integrations import colours as brand_colours
from integrations.models import Brand, Integration
from tenants.wizard import brand as pages
from tenants.wizard.logos import type_of

_DAY = 24 * 60 * 60  # seconds
_HEADERS = {"Cache-Control": f"public, max-age={_DAY}", "X-Content-Type-Options": "nosniff"}


def brand_of(integration: Integration) -> pages.Brand | None:
    """How the integration's pages look, or None if that isn't said."""
    brand = Brand.objects.filter(integration=integration).first()
    if brand is None:
        return None
    # The addresses change with what they show, so that browsers may keep it.
    version = f"?v={brand.updated_at.timestamp():.0f}"
    return pages.Brand(
        name=brand.name or integration.name,
        logo_url=reverse("setup:logo", args=[integration.key]) + version if brand.logo else "",
        support_url=brand.support_url,
        stylesheet_url=reverse("setup:colours", args=[integration.key]) + version
        if brand.accent or brand.header
        else "",
    )


@require_safe
def logo(request: HttpRequest, key: str) -> HttpResponse:
    """A brand's logo. Public, as the brand is."""
    content = bytes(get_object_or_404(Brand.objects.only("logo"), integration__key=key).logo)
    media_type = type_of(content)
    if media_type is None:
        raise Http404
    policy = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(content, content_type=media_type, headers=_HEADERS | policy)


@require_safe
def colours(request: HttpRequest, key: str) -> HttpResponse:
    """A brand's colours, as a style sheet."""
    brand = get_object_or_404(Brand.objects.only("accent", "header"), integration__key=key)
    return HttpResponse(
        brand_colours.stylesheet(brand.accent, brand.header), content_type="text/css; charset=utf-8", headers=_HEADERS
    )
