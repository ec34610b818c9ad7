"""What the host's own code does with an instance: it reads its token, and signs requests with it."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction

from connectors import transport
from connectors.definitions import definition_of
from connectors.oauth2.definition import Refresh
from connectors.oauth2.exchange import Clock, Send
from tenants import database_time
from tenants.client import ApiSession, Timeout
from tenants.credentials import Credentials, credentials_of
from tenants.errors import InstanceNotFound, NotConnected, removed
from tenants.request_auth import TokenAuth
from tenants.retries import Retries
from tenants.stored import Stored

_CARRIED_FOR = 1.0  # seconds in which a token that was just read need not be read again


class Readable(models.Model):
    """A row whose token can be read."""

    class Meta:
        abstract = True

    # What was read beside the row itself, and until when (on the steady clock) that counts as read just now.
    _carried: tuple[Stored, float] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What is carried is of this moment and this process: it goes into no copy."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_carried"}

    def credentials(
        self,
        min_ttl: float | None = None,
        *,
        send: Send = transport.send,
        clock: Clock = database_time.now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Credentials:
        """A token with at least `min_ttl` seconds to live (default: 30, or half the token's life if that is less).

        At once where the stored one will do; else it is renewed first. What is stored is read anew with each call, in
        one query, whatever this object has seen before; only the first call within a second of `find` goes by what that
        has read. Raises `NotConnected`, `CredentialsRefused`, `ProviderUnavailable`, `MintBudgetSpent` or another
        `TokenError`; `InstanceNotFound` if the instance was removed meanwhile, `ValidationFailed` for a `min_ttl` that
        no token can have.

        Read outside a transaction: a renewal inside one is open while the provider is asked, and a rollback would
        throw the new token away.
        """
        stored = self._stored()
        served = None if stored is None else stored.credentials(clock(), min_ttl)
        return served or self._renewed(min_ttl, send=send, clock=clock, sleep=sleep)

    def client(self, *, timeout: Timeout = None, retries: int = 2, max_wait: float = 30.0) -> ApiSession:
        """An authorized `requests.Session`: relative to the base URL, signed, renewed once when a token is rejected.

        `timeout` in seconds as `requests` takes it, unless a request says otherwise; None: OUTBOUND_TIMEOUT. `retries`
        and `max_wait`: how often, and for how many seconds in all, a busy API (429, 503) is asked again (`Retries`).
        """
        # Each request reads anew: another process may have renewed the token, or a person paused the instance.
        busy = Retries(retries, max_wait)
        return ApiSession(self.credentials, self._refresh(), timeout=timeout, retries=busy)

    def auth(self, *, presents_certificate: bool = False) -> TokenAuth:
        """An `auth=` that signs the requests of somebody else's `requests.Session`, see `TokenAuth`."""
        return TokenAuth(self.credentials, self._refresh(), presents_certificate=presents_certificate)

    def report_rejected(self, access_token: str, *, clock: Clock = database_time.now) -> bool:
        """An API turned this token down before its time; False if that changes nothing (see `Token.reject`)."""
        self._carried = None
        return type(self).rejected(self.pk, access_token, clock=clock)

    @classmethod
    def rejected(cls, pk: UUID, access_token: str, *, clock: Clock = database_time.now) -> bool:
        """As `report_rejected`, for the instance with this primary key."""
        with transaction.atomic():
            try:
                token = cls._default_manager.lock(pk).token  # type: ignore[attr-defined]
            except (InstanceNotFound, ObjectDoesNotExist):
                return False
            is_stored: bool = token.bought.access_token == access_token
            return is_stored and token.reject(now=clock())

    def carry(self, stored: Stored) -> None:
        """Take along what was read at this moment: the next `credentials` needs no query, if it follows at once."""
        self._carried = stored, time.monotonic() + _CARRIED_FOR

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self._carried = None
        super().refresh_from_db(*args, **kwargs)

    def _stored(self) -> Stored | None:
        """What is stored now; None if there is no such row any more."""
        carried, self._carried = self._carried, None
        if carried is not None and time.monotonic() < carried[1]:
            return carried[0]
        stored: Stored | None = type(self)._default_manager.stored(self.pk)  # type: ignore[attr-defined]
        return stored

    def _renewed(
        self, min_ttl: float | None, *, send: Send, clock: Clock, sleep: Callable[[float], None]
    ) -> Credentials:
        """By the models, which know why a token won't do, and how to come by another."""
        latest = type(self)._default_manager.for_renewing().filter(pk=self.pk).first()  # type: ignore[attr-defined]
        if latest is None:
            raise removed()
        try:
            token = latest.token
        except ObjectDoesNotExist:
            raise NotConnected(
                f"{self} is not connected yet.", "No token was ever bought.", "Connect it in the wizard or admin."
            ) from None
        token.fresh(min_ttl, send=send, clock=clock, sleep=sleep)
        method, rendering = token.definition.method, token.rendering(clock())
        return credentials_of(self.pk, method, rendering, token.bought, partial(type(self).rejected, self.pk))

    def _refresh(self) -> Refresh:
        definition = self._carried[0].definition if self._carried else definition_of(self.auth_method)  # type: ignore[attr-defined]
        return definition.method.definition.refresh
