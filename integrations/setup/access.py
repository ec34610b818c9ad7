"""Who may open a page: whoever has the link. It is all the proof there is: no cookie, no account.

A page in another site's frame gets no cookies, and whoever is signed in elsewhere on this site stays so: neither
matters here. For the same reason Django's CSRF token isn't used. Nobody can make a browser post to an address that they
don't know; and what another site's page posts is refused by its Origin.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from integrations import handing_on, links, redirects
from integrations.models import HandOn, Session
from integrations.setup import embedding
from integrations.setup.branding import brand_of
from integrations.setup.domain import is_open_to
from tenants import database_time

# What whoever handed it on can do meanwhile.
_WHILE_HANDED_ON = ("handed", "take-back")

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, "Visit", P], HttpResponseBase]


class Visit:
    """A browser that came with a link, at one moment."""

    def __init__(self, session: Session, link: str, hand_on: HandOn | None = None) -> None:
        self.session = session
        self.link = link
        # Not None: this is the colleague to whom it was handed on.
        self.hand_on = hand_on
        self.now = database_time.now()

    def __repr__(self) -> str:
        return f"<visit to {self.session}>"  # not the link, which is as good as a password

    def to(self, name: str, *args: object) -> HttpResponse:
        """Go to one of the link's pages, by GET, whatever led here."""
        response = redirect(f"setup:{name}", self.link, *args)
        response.status_code = 303
        return response

    def outcome_url(self) -> str:
        """Where the host wants to have the browser back, with how the session ended; empty if nowhere."""
        session = self.session
        if not session.redirect_url or self.hand_on is not None:
            return ""
        outcome = {"session": str(session.pk), "status": session.status(self.now)}
        if outcome["status"] != Session.State.COMPLETE:
            problems = [part.problem for part in session.parts.all() if part.problem]
            code = problems[0]["code"] if problems else "cancelled"
            outcome.update(status="failed", error="session_expired" if outcome["status"] == "expired" else code)
        return redirects.with_outcome(session.redirect_url, outcome)

    def leave(self) -> HttpResponse:
        """Back to the host; without an address to go to, to the closing page."""
        if self.told_to():
            return self.to("over")  # a page, for only a page can send messages
        url = self.outcome_url()
        return HttpResponse(status=303, headers={"Location": url}) if url else self.to("end")

    def told_to(self) -> str:
        """The origin of the page that hears how it goes, if any does."""
        return embedding.told_to(self.session) if self.hand_on is None else ""


def setup_page(view: Page[P]) -> Callable[..., HttpResponseBase]:
    """Open a page to whoever has the link."""

    def guarded(request: HttpRequest, link: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        session, hand_on = links.find(link), None
        if session is None and (hand_on := links.find_hand_on(link)):
            session = hand_on.session
        if session is None or not is_open_to(request, session.integration):
            return _said(request, "unknown", 404)
        visit = Visit(session, link, hand_on)
        response = _answer(request, visit, *args, **kwargs)
        return embedding.permit(response, session.integration) if hand_on is None else response

    def _answer(request: HttpRequest, visit: Visit, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST" and _is_foreign(request):
            return _said(request, "foreign", 403)
        if visit.session.status(visit.now) == "expired":
            return show(request, visit, "expired", {"back_url": visit.outcome_url()}, status=410)
        if session_is_elsewhere := _elsewhere(request, visit):
            return session_is_elsewhere
        return view(request, visit, *args, **kwargs)

    update_wrapper(guarded, view)
    return csrf_exempt(never_cache(guarded))


def show(
    request: HttpRequest, visit: Visit, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render one of the pages. Whoever is signed in on this site is of no account here, and isn't shown."""
    messages_to = visit.told_to()
    shared: dict[str, Any] = {
        "user": None,
        "messages": (),
        "tenant": visit.session.tenant,
        "session": visit.session,
        "link": visit.link,
        "hand_on": visit.hand_on,
        "now": visit.now,
        "messages_to": messages_to,
        "embedding_messages": embedding.messages(visit.session, visit.now) if messages_to else [],
    }
    if brand := brand_of(visit.session.integration):
        shared["brand"] = brand
    response = render(request, f"setup/{template}.html", {**shared, **(context or {})}, status=status)
    response.is_setup_page = True  # type: ignore[attr-defined]
    response["X-Robots-Tag"] = "noindex, nofollow"
    if visit.session.redirect_url:
        # A form's answer may lead back to the host; browsers hold that against `form-action` too.
        origin = redirects.origin_of(visit.session.redirect_url)
        response._csp_update = {"form-action": [origin]}  # type: ignore[attr-defined]
    return response


def _elsewhere(request: HttpRequest, visit: Visit) -> HttpResponse | None:
    """What to show instead to whoever isn't at it: the colleague who isn't any more, or who has handed it on."""
    if visit.session.state == Session.State.COMPLETE:
        return None
    if visit.hand_on is not None:
        return None if visit.hand_on.is_active(visit.now) else show(request, visit, "handed_back", status=410)
    match = request.resolver_match
    if match is not None and match.url_name in _WHILE_HANDED_ON:
        return None
    return visit.to("handed") if handing_on.current(visit.session, visit.now) else None


def _said(request: HttpRequest, template: str, status: int) -> HttpResponse:
    response = render(request, f"setup/{template}.html", {"user": None, "messages": ()}, status=status)
    response.is_setup_page = True  # type: ignore[attr-defined]
    return response


def _is_foreign(request: HttpRequest) -> bool:
    """Whether another site's page posts this. A browser says so; what says nothing is no browser."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    return origin not in (f"{request.scheme}://{request.get_host()}", settings.PUBLIC_URL)
