"""Which page comes next."""

from django.http import HttpResponse

from integrations import handing_on
from integrations.models import Session, SessionPart
from integrations.session_steps import next_step, steps_of, waits
from integrations.sessions import parts_of
from integrations.setup.access import Visit


def steps(visit: Visit) -> list[SessionPart]:
    """The parts that the tenant's user sees, in their order."""
    steps = steps_of(parts_of(visit.session), visit.now)
    return steps if visit.hand_on is None else [part for part in steps if part.pk in visit.hand_on.parts]


def go_on(visit: Visit) -> HttpResponse:
    """To the page of the state that the session is in."""
    session, parts = visit.session, parts_of(visit.session)
    asked = steps(visit)
    if session.state == Session.State.COMPLETE:
        return visit.leave()
    if session.is_busy(visit.now) or waits(session, visit.now):
        return visit.to("connecting")
    if not asked:
        return visit.to("entry") if session.state == Session.State.OPEN else visit.leave()
    number = next_step(asked, visit.now)
    if number is not None:
        return visit.to("step", number)
    if visit.hand_on is not None and any(part.problem for part in parts):
        # The colleague's part is done; what failed is for whoever asked.
        handing_on.pass_back(session, visit.now, is_filled_in=True)
        return visit.to("entry")
    # What failed is none of the steps: only trying again, or going back, is left.
    return visit.to("end") if any(part.problem for part in parts) else visit.to("step", len(asked))
