"""The wizard in a frame or pop-up of the host's page: who may show it, and what that page is told.

Messages go to the one origin that was declared for the session, never to `*`. Framing is for all of the integration's
allowed origins, as browsers ask for that before anything is known of the page.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase

from integrations import sessions
from integrations.models import Integration, Session, SessionPart


def declare(session: Session, query: Mapping[str, str]) -> bool:
    """Take `origin` and `auto_close` from the link's query, where they stand there. False: the origin isn't allowed."""
    origin = query.get("origin", session.origin)
    if origin and origin not in session.integration.allowed_origins:
        return False
    closes = query["auto_close"] == "1" if "auto_close" in query else session.auto_close
    if (origin, closes) != (session.origin, session.auto_close):
        session.origin, session.auto_close = origin, closes
        session.save(update_fields=["origin", "auto_close"])
    return True


def told_to(session: Session) -> str:
    """The origin that messages go to, if any; not to one that is no longer allowed."""
    return session.origin if session.origin in session.integration.allowed_origins else ""


def permit(response: HttpResponseBase, integration: Integration) -> HttpResponseBase:
    """Let the integration's allowed origins, and no others, show the response in a frame, and keep its opener."""
    if integration.allowed_origins:
        response._csp_replace = {"frame-ancestors": list(integration.allowed_origins)}  # type: ignore[attr-defined]
        # X-Frame-Options can't name an origin, and would refuse all of them.
        response.xframe_options_exempt = True  # type: ignore[attr-defined]
        # Any other value, on a redirect too, cuts a pop-up off from the page that opened it.
        response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def messages(session: Session, now: datetime) -> list[dict[str, Any]]:
    """What a page has to tell the host's page when it is shown."""
    status = session.status(now)
    parts = sessions.parts_of(session)
    told = {
        "session": str(session.pk),
        "status": status,
        "components": {part.component.name: _component(part, status) for part in parts},
    }
    if status == Session.State.COMPLETE:
        return [{"type": "finish", **told}]
    if status == "expired":
        return [{"type": "error", **told, "error": "session_expired"}]
    codes = [part.problem["code"] for part in parts if part.problem]
    ready = {"type": "ready", **told}
    if status == Session.State.FAILED and codes:
        return [ready, {"type": "error", **told, "error": codes[0]}]
    return [ready]


def _component(part: SessionPart, status: str) -> dict[str, str]:
    if status == Session.State.COMPLETE:
        return {"status": "complete", "instance": str(part.instance_id)}
    if status == Session.State.FAILED and part.problem:
        return {"status": "failed", "error": part.problem["code"]}
    return {"status": "open"}
