"""The page behind “no more of this mail”: whoever has the link may say so, for its own address alone."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integrations.mail import recipients
from integrations.mail.composing import address_in


# Mail programs post to it by themselves (RFC 8058); the signed address is what entitles to it, not a cookie.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def stop_mail(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to stop; by POST, stop. Looking at it changes nothing."""
    address = address_in(token)
    if address is None:
        raise Http404
    if request.method == "POST":
        recipients.stop(address)
    return render(request, "mail/stop.html", {"address": address, "is_stopped": request.method == "POST"})
