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

from integrations import links, redirects
from integrations.models import Session
from integrations.setup import embedding
from tenants import database_time

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, "Visit", P], HttpResponseBase]


class Visit:
    """A browser that came with a link, at one moment."""

    def __init__(self, session: Session, link: str) -> None:
        self.session = session
        self.link = link
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
        if not session.redirect_url:
            return ""
        outcome = {"session": str(session.pk), "status": session.status(self.now)}
        if outcome["status"] != Session.State.COMPLETE:
            problems = [part.problem for part in session.parts.all() if part.problem]
            code = problems[0]["code"] if problems else "cancelled"
            outcome.update(status="failed", error="session_expired" if outcome["status"] == "expired" else code)
        return redirects.with_outcome(session.redirect_url, outcome)

    def leave(self) -> HttpResponse:
        """Back to the host; without an address to go to, to the closing page."""
        if embedding.told_to(self.session):
            return self.to("over")  # a page, for only a page can send messages
        url = self.outcome_url()
        return HttpResponse(status=303, headers={"Location": url}) if url else self.to("end")


def setup_page(view: Page[P]) -> Callable[..., HttpResponseBase]:
    """Open a page to whoever has the link."""

    def guarded(request: HttpRequest, link: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        session = links.find(link)
        if session is None:
            return _said(request, "unknown", 404)
        visit = Visit(session, link)
        return embedding.permit(_answer(request, visit, *args, **kwargs), session.integration)

    def _answer(request: HttpRequest, visit: Visit, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST" and _is_foreign(request):
            return _said(request, "foreign", 403)
        if visit.session.status(visit.now) == "expired":
            return show(request, visit, "expired", {"back_url": visit.outcome_url()}, status=410)
        return view(request, visit, *args, **kwargs)

    update_wrapper(guarded, view)
    return csrf_exempt(never_cache(guarded))


def show(
    request: HttpRequest, visit: Visit, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render one of the pages. Whoever is signed in on this site is of no account here, and isn't shown."""
    messages_to = embedding.told_to(visit.session)
    shared = {
        "user": None,
        "messages": (),
        "tenant": visit.session.tenant,
        "session": visit.session,
        "link": visit.link,
        "now": visit.now,
        "messages_to": messages_to,
        "embedding_messages": embedding.messages(visit.session, visit.now) if messages_to else [],
    }
    response = render(request, f"setup/{template}.html", {**shared, **(context or {})}, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    if visit.session.redirect_url:
        # A form's answer may lead back to the host; browsers hold that against `form-action` too.
        origin = redirects.origin_of(visit.session.redirect_url)
        response._csp_update = {"form-action": [origin]}  # type: ignore[attr-defined]
    return response


def _said(request: HttpRequest, template: str, status: int) -> HttpResponse:
    return render(request, f"setup/{template}.html", {"user": None, "messages": ()}, status=status)


def _is_foreign(request: HttpRequest) -> bool:
    """Whether another site's page posts this. A browser says so; what says nothing is no browser."""
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    return origin not in (f"{request.scheme}://{request.get_host()}", settings.PUBLIC_URL)
