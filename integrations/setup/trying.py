"""The page that waits while the providers are asked, and the exchange behind it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from integrations import sessions
from integrations.session_steps import waits
from integrations.setup import flow
from integrations.setup.access import Visit, setup_page, show


@setup_page
@require_safe
def connecting(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Seen while the exchange runs. It leads to `run` by itself, by script or by meta refresh."""
    if not _is_under_way(visit):
        return flow.go_on(visit)
    parts = sessions.parts_of(visit.session)
    names = [str(part.component.connector) for part in parts]
    is_first = waits(visit.session, visit.now)
    return show(request, visit, "connecting", {"names": names, "wait_seconds": 0 if is_first else 2})


@setup_page
@require_safe
def run(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make the exchange. A GET, for a meta refresh can't post; the form was posted, and is tried once all the same."""
    if request.method == "GET" and waits(visit.session, visit.now):
        try:
            sessions.commit(visit.session)
        except (sessions.SessionInUse, sessions.SessionExpired, sessions.SessionFailed):
            visit.session.refresh_from_db()
    return flow.go_on(visit)


@setup_page
@require_safe
def progress(request: HttpRequest, visit: Visit) -> JsonResponse:
    """How far it is, for the waiting page's script."""
    is_over = not _is_under_way(visit)
    return JsonResponse(
        {
            "next": flow.go_on(visit)["Location"] if is_over else None,
            "waits_for_run": waits(visit.session, visit.now),
        }
    )


def _is_under_way(visit: Visit) -> bool:
    return visit.session.is_busy(visit.now) or waits(visit.session, visit.now)
