"""Why a reader gets no token, found out without asking the provider."""

from datetime import datetime
from uuid import UUID

from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable
from tenants.errors import NotConnected, recorded_error
from tenants.models.instance import Instance
from tenants.renewal import Life


def refuse_idle(instance: Instance) -> None:
    """Raise `NotConnected` where no token may be handed out: none was ever bought, or a person paused it."""
    if instance.status == Instance.Status.PAUSED:
        raise NotConnected(f"{instance} is paused.", "A person stopped it.", "Resume it in the wizard or admin.")
    if instance.status == Instance.Status.PENDING:
        raise NotConnected(
            f"{instance} is not connected yet.", "No token was ever bought.", "Connect it in the wizard or admin."
        )


def known_trouble(instance: Instance, retry_at: datetime | None, now: datetime) -> LatchkeyError | None:
    """What asking would only find out once more: a refusal, or trouble not to be tried again before `retry_at`."""
    wait = None
    if instance.status == Instance.Status.FAILING and retry_at is not None and retry_at > now:
        wait = (retry_at - now).total_seconds()
    if instance.status == Instance.Status.ACTION_REQUIRED or wait is not None:
        return recorded_error(instance.status_code, instance.status_reason, retry_after=wait)
    return None


def same_token(life: Life, min_ttl: float, now: datetime) -> ProviderUnavailable:
    """The provider hands out one and the same token until it dies, and too little of that is left."""
    left = 0.0 if life.expires_at is None else max((life.expires_at - now).total_seconds(), 0.0)
    return ProviderUnavailable(
        f"No token with {min_ttl:g} seconds to live can be had now.",
        f"The provider hands back the same token, which has {left:.0f} seconds left.",
        "Ask for a smaller min_ttl, or again when the token has run out.",
        retry_after=left,
    )


def too_short(life: Life, min_ttl: float | None) -> ProviderUnavailable:
    """Not even a new token lives as long as it should."""
    length = f"{life.length.total_seconds():g} seconds" if life.length else "for no time"
    if min_ttl is None:
        return ProviderUnavailable(
            "The new token ran out before it could be handed out.",
            f"This provider's tokens live {length} in all.",
            "Have the provider issue tokens that live longer.",
        )
    return ProviderUnavailable(
        f"No token with {min_ttl:g} seconds to live can be had.",
        f"This provider's tokens live {length} in all.",
        "Ask for a smaller min_ttl.",
    )


class ShortLives:
    """Which providers' new tokens live shorter than a reader wished, as this process found out by asking.

    It is believed as long as such a token lives: who wishes for too much again and again costs a request for each
    token's life, not one for each wish.
    """

    def __init__(self, most: int = 1000) -> None:
        self._lives: dict[UUID, Life] = {}
        self._most = most

    def note(self, pk: UUID, life: Life) -> None:
        """This is a new token of this instance's, and too short."""
        if len(self._lives) >= self._most:
            self._lives.clear()
        self._lives[pk] = life

    def tell(self, pk: UUID, min_ttl: float, now: datetime) -> bool:
        """Whether even a new token of this instance's lives shorter than `min_ttl` seconds."""
        life = self._lives.get(pk)
        is_believed = life is not None and life.expires_at is not None and now < life.expires_at
        return is_believed and life is not None and not life.will_do(life.issued_at, min_ttl)


SHORT_LIVES = ShortLives()
