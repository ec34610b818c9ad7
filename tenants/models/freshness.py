"""A reader wants a token that lives long enough: it is there, or bought, or waited for while another buys it."""

from datetime import datetime
from typing import TYPE_CHECKING

from connectors.oauth2.exchange import Clock, Send
from tenants import renewal
from tenants.locks import one_at_a_time
from tenants.models.endpoint import refuse_closed
from tenants.models.lease import Sleep
from tenants.models.refusals import SHORT_LIVES, known_trouble, refuse_idle, same_token, too_short

if TYPE_CHECKING:  # which imports this
    from tenants.models.token import Token


def freshen(token: "Token", min_ttl: float | None, *, send: Send, clock: Clock, sleep: Sleep) -> None:
    """See to it that the stored token can be handed to a reader: renew it, or wait for who is renewing it.

    However many ask at once, in however many processes, one request is made. Raises `NotConnected`,
    `InstanceNotFound`, `ValidationFailed` or a `TokenError`.
    """
    renewal.check_min_ttl(min_ttl)
    refuse_idle(token.instance)
    if token.will_do(clock(), min_ttl):
        return
    began = clock()
    with one_at_a_time(token.pk):
        token.refresh_from_db()
        while not token.will_do(clock(), min_ttl):
            _refuse_hopeless(token, min_ttl, clock(), began)
            is_ours = token.take_in_turn(clock=clock, sleep=sleep, unless=lambda: token.will_do(clock(), min_ttl))
            if is_ours and _renewed_unless_done(token, min_ttl, began, send=send, clock=clock):
                break
    # A person may have paused it while we waited.
    refuse_idle(token.instance)


def _renewed_unless_done(token: "Token", min_ttl: float | None, began: datetime, *, send: Send, clock: Clock) -> bool:
    """Renew under the lease that is ours, unless who had it before did, or found out that it can't be done.

    False if there is something new to look at. One request is all that a reader makes: what it bought must do.
    """
    try:
        if token.will_do(clock(), min_ttl):
            return True
        _refuse_hopeless(token, min_ttl, clock(), began)
        refuse_closed(token.locate(clock()), clock())
        if not token.renew(send=send, clock=clock):
            token.refresh_from_db()
            return False
    finally:
        token.give_back()
    if token.life is not None and not token.will_do(clock(), min_ttl):
        if token.is_repeated and min_ttl is not None:
            raise same_token(token.life, min_ttl, clock())
        SHORT_LIVES.note(token.pk, token.life)
        raise too_short(token.life, min_ttl)
    return True


def _refuse_hopeless(token: "Token", min_ttl: float | None, now: datetime, began: datetime) -> None:
    """Raise, with no request made, what was already found out; but not where the stored token will do.

    `began` is when the reader came: what was bought since then is what its own request would have bought.
    """
    refuse_idle(token.instance)
    if token.will_do(now, min_ttl):
        return
    if trouble := known_trouble(token.instance, token.retry_at, now):
        raise trouble
    if min_ttl is None or token.life is None or token.life.length is None or not token.will_do(now, 0.0):
        return
    if token.is_repeated:
        raise same_token(token.life, min_ttl, now)
    # One short token alone may be what was left of one that others share: the next may live longer.
    is_news = token.renewed_at is not None and token.renewed_at > began
    if token.life.length.total_seconds() < min_ttl and (is_news or SHORT_LIVES.tell(token.pk, min_ttl, now)):
        raise too_short(token.life, min_ttl)
