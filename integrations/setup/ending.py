"""Leaving: with everything connected, after a failure, or without wanting to."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations import handing_on, sessions
from integrations.models import Session
from integrations.session_steps import make_ready
from integrations.setup import flow
from integrations.setup.access import Visit, setup_page, show


@setup_page
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, visit: Visit) -> HttpResponse:
    """How it ended, in words. After a failure that nothing here can mend, a POST tries once more."""
    session = visit.session
    is_complete = session.state == Session.State.COMPLETE
    if request.method == "POST" and not is_complete:
        make_ready(session)
        return visit.to("connecting")
    return _show_outcome(request, visit)


@setup_page
@require_safe
def over(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The same for a wizard in a frame or pop-up: it tells its host, and goes there itself if nobody is to be told."""
    return _show_outcome(request, visit, next_url=visit.outcome_url())


def _show_outcome(request: HttpRequest, visit: Visit, *, next_url: str = "") -> HttpResponse:
    session, parts = visit.session, sessions.parts_of(visit.session)
    if visit.hand_on is not None:
        parts = [part for part in parts if part.pk in visit.hand_on.parts]
    is_complete = session.state == Session.State.COMPLETE
    failed = [part for part in parts if part.problem]
    if not is_complete and not failed:
        return visit.to("entry")
    codes = [part.problem["code"] for part in failed if part.problem]
    is_cancelled = not is_complete and codes[0] == "cancelled"
    context = {
        "parts": parts,
        "failed": failed,
        "back_url": visit.outcome_url(),
        "next_url": next_url,
        "closes": session.auto_close and (is_complete or is_cancelled),
        "has_steps": bool(flow.steps(visit)),
    }
    return show(request, visit, "complete" if is_complete else "failed", context)


@setup_page
@require_POST
def cancel(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Back to the host with nothing connected; what was filled in here is deleted."""
    if visit.hand_on is not None:
        handing_on.pass_back(visit.session, visit.now, is_filled_in=False)
        return visit.to("entry")
    if not sessions.cancel(visit.session):
        return flow.go_on(visit)
    return visit.leave()
