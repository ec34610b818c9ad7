"""What monitoring asks: is the installation ready, and how does it do?"""

import logging
from dataclasses import asdict
from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from config.operations import metrics as measured
from config.operations import readiness

logger = logging.getLogger(__name__)

# A proxy in front sets at least one of these: then the address that we see is the proxy's, not the caller's.
_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


@csrf_exempt  # changes nothing, and another method is to hear of that, not of a form
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 if every part does its work, else 503; each part by name, with how long it took or how long ago it was."""
    checks, troubles = readiness.look()
    for name, trouble in troubles.items():
        logger.warning("Not ready: the %s: %s.", name, trouble)
    is_ready = all(check.ok for check in checks.values())
    lines = {
        name: {key: value for key, value in asdict(check).items() if value not in (None, "")}
        for name, check in checks.items()
    }
    return JsonResponse(
        {"status": "ok" if is_ready else "unavailable", "checks": lines}, status=200 if is_ready else 503
    )


@csrf_exempt  # changes nothing, and another method is to hear of that, not of a form
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers, in Prometheus' format; to who shows METRICS_TOKEN or, without one, to this machine alone."""
    if (refusal := _refusal(request)) is not None:
        return refusal
    try:
        snapshot = measured.snapshot()
    except measured.Unmeasurable as error:
        logger.warning("Nothing could be measured: %s.", error)
        return HttpResponse("The database does not answer in time.\n", status=503, content_type="text/plain")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(snapshot), content_type=content_type)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    wanted = settings.METRICS_TOKEN
    if wanted:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and compare_digest(shown.strip().encode(), wanted.encode()):
            return None
        says = "Show METRICS_TOKEN in a header: “Authorization: Bearer TOKEN”.\n"
        return HttpResponse(
            says, status=401, content_type="text/plain; charset=utf-8", headers={"WWW-Authenticate": "Bearer"}
        )
    if _is_this_machine(request.META.get("REMOTE_ADDR", "")) and not any(
        name in request.headers for name in _OF_PROXIES
    ):
        return None
    says = "Without METRICS_TOKEN only this machine may look. Set it, and show it as a bearer token.\n"
    return HttpResponse(says, status=403, content_type="text/plain; charset=utf-8")


def _is_this_machine(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
