"""The link itself."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from integrations import handing_on, sessions
from integrations.models import Session
from integrations.setup import embedding, flow
from integrations.setup.access import Visit, setup_page, show


@setup_page
@require_safe
def entry(request: HttpRequest, visit: Visit) -> HttpResponse:
    """To the first thing that is missing; where nothing is, connect and go back to the host, with no page shown."""
    if visit.hand_on is None and not embedding.declare(visit.session, request.GET):
        return show(request, visit, "elsewhere", status=403)
    if visit.hand_on is not None and _is_visit(request):
        handing_on.note_opened(visit.hand_on, visit.now)
    if visit.session.state == Session.State.COMPLETE:
        return show(request, visit, "used", {"back_url": visit.outcome_url()}, status=410)
    if flow.steps(visit):
        return flow.go_on(visit)
    if not _is_visit(request):
        return show(request, visit, "preview")
    return attempt(visit)


def attempt(visit: Visit) -> HttpResponse:
    """Connect, and back to the host however it ends."""
    try:
        sessions.commit(visit.session)
    except sessions.SessionInUse:
        return visit.to("connecting")
    except sessions.SessionExpired:
        return visit.to("entry")
    except sessions.SessionFailed:
        pass
    return visit.leave()


def _is_visit(request: HttpRequest) -> bool:
    """Whether somebody opens the page, rather than a program that looks at a link, or a browser that reads ahead."""
    if request.method != "GET" or request.headers.get("Sec-Purpose") or request.headers.get("Purpose"):
        return False
    return request.headers.get("Sec-Fetch-Dest", "document") in ("document", "iframe", "frame")
