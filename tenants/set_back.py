"""A clock that was set back: what the wrong one wrote lies in the future, and would wait until that comes."""

from datetime import timedelta

from connectors.oauth2.exchange import Clock
from tenants import database_time
from tenants.models.token import Token

AHEAD = timedelta(seconds=5)  # what lies no further in the future was written by a clock that was put right a little
NO_LEASE = timedelta(minutes=10)  # lasts as long; ending one early costs a request, its holder's result is refused


def renew_what_is_from_the_future(clock: Clock = database_time.now) -> int:
    """Make due what says that it was renewed later than now: how long it really lives nobody knows. How many those are.

    With a database server on a machine of its own that machine's clock counts, and nothing is found.
    """
    now = clock()
    Token.objects.filter(lease_until__gt=now + NO_LEASE).update(lease_owner=None, lease_until=None)
    wrong = Token.objects.filter(renewed_at__gt=now + AHEAD, refresh_at__gt=now)
    return wrong.update(refresh_at=now)
