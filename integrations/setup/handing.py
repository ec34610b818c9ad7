"""For a colleague: the link that hands it on, and the page that waits for them."""

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from integrations import handing_on, links
from integrations.models import HandOn, Session, SessionPart
from integrations.session_steps import remaining
from integrations.setup import flow
from integrations.setup.access import Visit, setup_page, show


def hand_on(visit: Visit, part: SessionPart) -> HttpResponse:
    """From this step on, a colleague does it."""
    parts = remaining(flow.steps(visit), part, visit.now)
    handing_on.hand_on(visit.session, visit.link, parts, visit.now)
    return visit.to("handed")


@setup_page
@require_safe
def handed(request: HttpRequest, visit: Visit) -> HttpResponse:
    """For whoever handed it on: the link to pass on, how far the colleague is, and how it ended."""
    session = visit.session
    if session.state == Session.State.COMPLETE:
        return visit.leave()
    latest = HandOn.objects.filter(session=session).first() if visit.hand_on is None else None
    if latest is None or latest.end == latest.End.TAKEN_BACK:
        return flow.go_on(visit)
    names = [str(part.component.connector) for part in flow.steps(visit) if part.pk in latest.parts]
    url = links.url_of(links.derived(visit.link, latest.nonce)[1], session.integration)
    subject = f"Please connect {', '.join(names)} for {session.integration}"
    context = {
        "handed": latest,
        "is_active": latest.is_active(visit.now),
        "is_busy": session.is_busy(visit.now),
        "names": names,
        "handed_url": url,
        "mail_url": f"mailto:?subject={quote(subject)}&body={quote(url)}",
    }
    return show(request, visit, "handed", context)


@setup_page
@require_POST
def take_back(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The colleague's link ends, and the one who handed it on goes on themselves."""
    if visit.hand_on is None and handing_on.take_back(visit.session, visit.now):
        return flow.go_on(visit)
    return visit.to("handed")
