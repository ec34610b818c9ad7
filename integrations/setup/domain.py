"""An integration's own domain: its set-up pages are served there, in its brand, and nothing else is."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import split_domain_port, validate_host
from django.shortcuts import render
from django.urls import Resolver404, resolve

from integrations.models import Integration
from integrations.setup.branding import brand_of
from tenants.wizard.brand import Brand

# What the pages load: sheets, scripts and icons that don't say whose they are.
_STATIC = ("wizard/", "embed/messages.")
_WORDS = {403: "This is not allowed", 404: "There is nothing here", 500: "Something went wrong"}


def serve_custom_domains(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: under one of CUSTOM_DOMAINS, let through what belongs to the integration that has it."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        host = _custom_domain(request)
        if not host:
            return get_response(request)
        if request.path_info.startswith(tuple(settings.STATIC_URL + start for start in _STATIC)):
            return get_response(request)
        integration = Integration.objects.filter(brand__custom_domain=host).first()
        brand = brand_of(integration) if integration is not None else None
        request.brand = brand or Brand(name=host, logo_url="")  # type: ignore[attr-defined]
        request.domain_of = integration  # type: ignore[attr-defined]
        if not _belongs_here(request, integration):
            return _said(request, 404)
        response = get_response(request)
        is_ours = response.status_code < 400 or getattr(response, "is_setup_page", False)
        return response if is_ours else _said(request, response.status_code)

    return answer


def is_open_to(request: HttpRequest, integration: Integration) -> bool:
    """Whether the domain that the request came by serves this integration: its own, or one of Latchkey's."""
    return bool(getattr(request, "domain_of", integration) == integration)


def _custom_domain(request: HttpRequest) -> str:
    try:
        host, _ = split_domain_port(request.get_host())
    except DisallowedHost:
        return ""  # Django says so itself
    return host if validate_host(host, settings.CUSTOM_DOMAINS) else ""


def _belongs_here(request: HttpRequest, integration: Integration | None) -> bool:
    if integration is None:
        return False
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return False
    if match.namespace == "setup":
        return bool(match.kwargs.get("key", integration.key) == integration.key)
    return match.view_name == "wizard:logo"


def _said(request: HttpRequest, status: int) -> HttpResponse:
    words = _WORDS.get(status, _WORDS[404] if status < 500 else _WORDS[500])
    context = {"user": None, "messages": (), "words": words, "is_fault": status >= 500}
    response = render(request, "setup/nothing.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
