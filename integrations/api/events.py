"""An instance's history."""

from datetime import datetime

from django.db.models import Q
from ninja import Router, Schema
from pydantic import Field

from integrations.api.authentication import ApiRequest, call
from integrations.api.pages import Cursor, Limit, Order, Place, page, refuse_unknown
from integrations.api.seen import InstanceId, instance_of

router = Router(tags=["Instances"])


class EventOut(Schema):
    """Something that happened to an instance."""

    id: int
    at: datetime
    kind: str = Field(description="Such as `renewed`, `failing`, `recovered`.")
    status_before: str
    status_after: str = Field(description="Another than `status_before` if the event changed the status.")
    code: str = Field(description="The error's code where there was one, else empty.")
    message: str = Field(description="For a person to read; may be empty.")


class EventPage(Schema):
    items: list[EventOut]
    next_cursor: str | None


def _after(place: Place) -> Q:
    at = datetime.fromisoformat(str(place[0]))
    return Q(at__lt=at) | Q(at=at, pk__lt=place[1])


NEWEST_FIRST = Order("events", ("-at", "-pk"), lambda event: [event.at.isoformat(), event.pk], _after)


@router.get(
    "/instances/{instance_id}/events",
    response=EventPage,
    operation_id="list_events",
    summary="Show an instance's history",
    **call("instances:read", "instance_not_found"),
)
def list_events(request: ApiRequest, instance_id: InstanceId, cursor: Cursor = None, limit: Limit = 50) -> EventPage:
    """What happened to the instance, newest first."""
    refuse_unknown(request, "cursor", "limit")
    instance = instance_of(request.auth.instances(), instance_id)
    found, next_cursor = page(instance.events.all(), NEWEST_FIRST, cursor, limit)
    return EventPage(items=[EventOut.from_orm(event) for event in found], next_cursor=next_cursor)
