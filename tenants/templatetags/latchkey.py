"""Words for templates: moments, statuses, and what stands for a connector."""

from datetime import UTC, datetime, timedelta

from django import template

from connectors.models import Connector
from tenants.models import Instance
from tenants.wizard.logos import colour_of

register = template.Library()

_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_STATUSES = {
    Instance.Status.PENDING: ("Pending", "clock", "There is no token yet."),
    Instance.Status.ACTIVE: ("Active", "check", "The token is valid and is renewed by itself."),
    Instance.Status.FAILING: ("Failing", "retry", "The last renewal failed; it is tried again by itself."),
    Instance.Status.ACTION_REQUIRED: ("Action required", "alert", "It is not renewed until you mend it."),
    Instance.Status.PAUSED: ("Paused", "pause", "Nothing is renewed until you resume."),
}


@register.filter
def relative(moment: datetime, now: datetime) -> str:
    """A moment as seen from `now`: "in 55 minutes", "2 hours ago"."""
    distance = moment - now
    words = _distance(abs(distance))
    if not words and distance > timedelta(seconds=5):
        words = f"{distance // timedelta(seconds=1)} seconds"
    if not words:
        return "in a moment" if distance > timedelta() else "just now"
    return f"in {words}" if distance > timedelta() else f"{words} ago"


def _distance(distance: timedelta) -> str:
    # Rounded to the unit below, so that 59 minutes 58 seconds read as an hour.
    distance += timedelta(seconds=30) if distance >= timedelta(minutes=1) else timedelta()
    for unit, name in _UNITS:
        if distance >= unit:
            count = distance // unit
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return ""


@register.filter
def utc(moment: datetime) -> str:
    """A moment in words, always in UTC: "21 Nov 2026, 08:33 UTC"."""
    moment = moment.astimezone(UTC)
    # The space before "UTC" doesn't break.
    return f"{moment.day} {moment:%b %Y, %H:%M}\N{NO-BREAK SPACE}UTC"


@register.inclusion_tag("wizard/moment.html")
def moment(at: datetime, now: datetime) -> dict[str, object]:
    """A moment, relative and absolute."""
    return {"at": at, "relative": relative(at, now)}


@register.inclusion_tag("wizard/status.html")
def status(instance: Instance) -> dict[str, str]:
    """An instance's status, in words, with a sign and a colour."""
    label, icon, _ = _STATUSES[Instance.Status(instance.status)]
    return {"label": label, "icon": icon, "status": instance.status}


@register.filter
def status_label(value: str) -> str:
    """A status in words."""
    return _STATUSES[Instance.Status(value)][0]


@register.filter
def status_meaning(value: str) -> str:
    """What a status means, as a sentence."""
    return _STATUSES[Instance.Status(value)][2]


@register.inclusion_tag("wizard/tile.html")
def tile(connector: Connector, size: str = "") -> dict[str, object]:
    """A connector's logo, or its initials. The connector comes from `logos.with_logo_known`."""
    return {"connector": connector, "colour": colour_of(connector), "size": size}


@register.inclusion_tag("wizard/icon.html")
def icon(name: str, size: str = "") -> dict[str, str]:
    """A decorative sign from the sprite."""
    return {"name": name, "size": size}
