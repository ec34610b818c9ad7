"""Asking for a token: with which definition and values, and with which secret first."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.utils.functional import cached_property

from connectors.definitions import Definition, definition_of
from connectors.oauth2.errors import CredentialsRefused, LatchkeyError
from connectors.oauth2.exchange import Clock, Send
from connectors.oauth2.method import Method
from connectors.oauth2.request import endpoint_of
from connectors.oauth2.response import TokenGrant
from connectors.oauth2.templates import Rendering
from connectors.oauth2.values import resolve
from tenants.asked import ask
from tenants.budgets import enter_request, is_last
from tenants.models.instance import Instance, InstanceValues
from tenants.models.lease import Leased
from tenants.models.next_values import NextValues
from tenants.models.succession import Tried, is_of_the_client


class EndpointSpared(Exception):
    """The endpoint that would be asked is one of those to be spared: nothing was entered, and nothing sent."""


class Asking(Leased):
    """A row for which tokens can be asked for."""

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True, related_name="token")
    # Scheme, host and port of the token URL, as last asked: an endpoint's trouble is that of all who use it.
    endpoint = models.CharField(max_length=300, blank=True)

    class Meta:
        abstract = True

    # What becomes of the instance's next secret while a token is asked for.
    _tried: Tried | None = None
    # When asking began. With the present secret it goes on as part of the same exchange: the lease is for one.
    asked_at: datetime | None = None

    @cached_property
    def definition(self) -> Definition:
        """As this object was read."""
        return definition_of(self.instance.auth_method)

    def rendering(self, now: datetime, following: Mapping[str, str] | None = None) -> Rendering:
        """The values with which requests are made for this instance; `following` are to take others' place."""
        definition = self.definition
        try:
            given: Mapping[str, str] = self.instance.filled_in.values
        except ObjectDoesNotExist:
            given = {}  # what is required and has no default is then named as missing
        given = {**given, **following} if following else given
        return resolve(definition.method, given, definition.operator_values(), now=now)

    def locate(self, now: datetime) -> str:
        """The endpoint that would be asked now: the definition may name another one than the last time."""
        following = self._following
        try:
            rendering = self.rendering(now, following.values if following else {})
        except LatchkeyError:  # who asks will say what is wrong
            return self.endpoint
        self.endpoint = endpoint_of(self.definition.method, rendering)
        return self.endpoint

    def ask(self, *, send: Send, clock: Clock) -> TokenGrant:
        """Ask the provider for a token, with the next secret first where there is one.

        Raises `ValidationFailed` or a `TokenError`.
        """
        try:
            return ask(*self.prepare(clock()), send=send, clock=clock)
        except CredentialsRefused as error:
            refusal = error
        # Raised or tried again here, not above: an answer that could not be read stays out of the traceback.
        again = self.fall_back(refusal, clock())
        if again is None:
            raise refusal
        return ask(*again, send=send, clock=clock, began=self.asked_at)

    def prepare(self, now: datetime, *, spared: Collection[str] = ()) -> tuple[Method, Rendering]:
        """What asking takes, the request entered into the client's mint budget.

        Raises `MintBudgetSpent`; `EndpointSpared` where it would be asked of one of `spared`.
        """
        self.asked_at, following = now, self._following
        rendering = self.rendering(now, following.values if following else {})
        # Where only one more request is allowed it is not spent on a secret that was refused before.
        if following and is_last(self.definition.method, rendering) and following.refused_at:
            following, rendering = None, self.rendering(now)
        self._tried = Tried(following.added_at) if following else None
        return self._entered(rendering, spared)

    def fall_back(self, refusal: CredentialsRefused, now: datetime) -> tuple[Method, Rendering] | None:
        """What asking with the present secret takes, after the next one was refused; None if that was not it.

        None, too, if a person wouldn't have it any more: who retired the present secret, paused or removed the
        instance meanwhile. Raises `MintBudgetSpent`.
        """
        tried = self._tried
        if tried is None or tried.refusal or not is_of_the_client(refusal, self.definition.method):
            return None
        self._tried = Tried(tried.added_at, str(refusal))
        return self._entered(self.rendering(now)) if self._may_still_ask() else None

    def _may_still_ask(self) -> bool:
        awake = Instance.objects.exclude(status=Instance.Status.PAUSED).filter(pk=self.instance.pk)
        held = InstanceValues.objects.filter(instance__in=awake).first()
        # Whoever changes them otherwise needs the lease, which is ours: the present secret was retired.
        return held is not None and held.values == self.instance.filled_in.values

    def _entered(self, rendering: Rendering, spared: Collection[str] = ()) -> tuple[Method, Rendering]:
        method = self.definition.method
        self.endpoint = endpoint_of(method, rendering)
        if self.endpoint in spared:
            raise EndpointSpared
        enter_request(method, rendering)
        return method, rendering

    @property
    def _following(self) -> NextValues | None:
        known = self.instance._state.fields_cache
        return known["next_values"] if "next_values" in known else getattr(self.instance, "next_values", None)
