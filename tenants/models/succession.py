"""The next secret takes the present one's place as soon as it works, in the same transaction as the token it bought."""

from datetime import datetime
from typing import NamedTuple

from connectors.definitions import definition_of
from connectors.oauth2.errors import CredentialsRefused
from connectors.oauth2.method import Method
from tenants.models.event import Event
from tenants.models.instance import Instance, InstanceValues
from tenants.models.next_values import NextValues

# What providers call a client ID or secret that they don't know (any more).
_UNKNOWN_CLIENT = frozenset(
    {"invalid_client", "unauthorized_client", "invalid_client_id", "invalid_client_credentials"}
)

WORKS = "The next secret works. It has taken the present one's place."
REFUSED = "The provider refuses the next secret; the present one goes on serving."


class Tried(NamedTuple):
    """What became of the next values (those added at that time) when a token was asked for with them."""

    added_at: datetime
    refusal: str = ""


def is_of_the_client(error: CredentialsRefused, method: Method) -> bool:
    """Whether it is the ID or the secret that was refused, so that another secret may do better."""
    own = {str(code) for code in method.definition.token_response.errors.credentials}
    return error.error in _UNKNOWN_CLIENT | own or (not error.error and error.status == 401)


def settle(instance: Instance, tried: Tried, at: datetime) -> Event | None:
    """Let values that worked take over, or note that they were refused; the event, still to be saved.

    The instance must be locked. Values that were exchanged for others meanwhile are left alone.
    """
    rows = NextValues.objects.filter(pk=instance.pk, added_at=tried.added_at)
    if tried.refusal:
        is_news = rows.filter(refused_at=None).update(refused_at=at, refusal=tried.refusal)
        return instance.event(Event.Kind.CHANGED, at=at, message=f"{REFUSED} {tried.refusal}") if is_news else None
    following = rows.first()
    if following is None:
        return None
    _take_over(instance, following)
    return instance.event(Event.Kind.CHANGED, at=at, message=WORKS)


def adopt_now(instance: Instance) -> bool:
    """Let an instance's next values take over untried; whether there were any. The instance must be locked."""
    following = NextValues.objects.filter(pk=instance.pk).first()
    if following is not None:
        _take_over(instance, following)
    return following is not None


def _take_over(instance: Instance, following: NextValues) -> None:
    present = InstanceValues.objects.get(pk=instance.pk)
    present.values = {**present.values, **following.values}
    present.set_at = {**present.set_at, **following.set_at}
    # Where only something else changed, the secret stays, and with it its day.
    is_new_secret = not definition_of(instance.auth_method).method.secret_keys.isdisjoint(following.values)
    if is_new_secret or following.secret_expires_at:
        present.secret_expires_at, present.warned_days = following.secret_expires_at, None
    present.save(update_fields=["values", "set_at", "secret_expires_at", "warned_days"])
    following.delete()
