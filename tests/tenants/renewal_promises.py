"""What must be true after each step of the model of renewal, and of whatever a reader is handed."""

from itertools import pairwise

from tenants import renewal
from tenants.errors import InstanceNotFound, MintBudgetSpent, NotConnected, ProviderUnavailable
from tenants.models import Event, Instance, NextValues, Token
from tenants.models.lease import lease_length

Status = Instance.Status
TROUBLE = (Status.FAILING, Status.ACTION_REQUIRED)
# What a worker writes. Not `refresh_at`: whoever hears that an endpoint is back sets that of all who wait for it.
WRITTEN = (
    "lease_owner",
    "lease_until",
    "secrets",
    "issued_at",
    "expires_at",
    "renewed_at",
    "is_rejected",
    "rejections",
)


class Promises:
    """What was seen so far, and `faults`: the promises that were broken."""

    def __init__(self, scene):
        self.scene = scene
        self.faults = []
        # Tokens that an API turned down.
        self.rejected = set()
        self._serials = {}
        self._failures = {}

    def claim(self, is_so, otherwise):
        if not is_so:
            self.faults.append(otherwise)
        assert is_so, otherwise

    # --- Of everything ------------------------------------------------------------------------------------------------

    def look_at_everything(self):
        self.claim(not self.scene.world.broken, "; ".join(self.scene.world.broken))
        rows = Instance.objects.select_related("token").prefetch_related("events")
        by_pk = {instance.pk: instance for instance in rows}
        for name, pk in self.scene.pks.items():
            if pk in by_pk:
                self._look_at(name, by_pk[pk], by_pk[pk].token)

    def _look_at(self, name, instance, token):
        self._look_at_history(name, instance)
        status, known = instance.status, self.scene.world.clients[name].minted
        is_automatic = token.refresh_at is not None
        self.claim(
            bool(instance.status_reason) == (status in TROUBLE), f"{name} is {status}: {instance.status_reason!r}"
        )
        self.claim(
            not (status in (Status.PAUSED, Status.ACTION_REQUIRED) and is_automatic), f"{name}, {status}, is due"
        )
        needs_it = status == Status.FAILING or (status == Status.ACTIVE and (token.expires_at or token.is_rejected))
        self.claim(is_automatic or not needs_it, f"{name}, {status}, will never be renewed")
        if token.lease_until:
            self.claim(token.lease_until <= self.scene.clock() + 10 * lease_length(), f"{name} has an endless lease")
        serial = known[token.bought.access_token].serial
        self.claim(serial >= self._serials.get(name, 0), f"{name}: an older token was written over a newer one")
        self._serials[name] = serial
        self._reckon_backoff(name, token, status)

    def _reckon_backoff(self, name, token, status):
        seen, self._failures[name] = self._failures.get(name), (token.failures, token.refresh_at)
        client = self.scene.world.clients[name]
        if seen == self._failures[name] or not token.failures or status != Status.FAILING or not client.requests:
            return
        least = min(renewal.BACKOFF_FIRST * 2.0 ** min(token.failures - 1, 16), renewal.BACKOFF_MOST) * 0.75
        client.not_before = client.requests[-1].at + least

    def _look_at_history(self, name, instance):
        events = sorted(instance.events.all(), key=lambda event: event.pk)
        self.claim(events[-1].status_after == instance.status, f"{name} became {instance.status} without an event")
        for earlier, later in pairwise(events):
            self.claim(later.status_before == earlier.status_after, f"{name}: a change of status has no event")
            is_recovery = later.status_before in TROUBLE and later.kind in (Event.Kind.RENEWED, Event.Kind.RECOVERED)
            self.claim(
                is_recovery == (later.kind == Event.Kind.RECOVERED), f"{name}: recovery was not recorded as such"
            )
            is_repeated = (later.kind, later.message) == (earlier.kind, earlier.message)
            self.claim(not (is_repeated and later.kind in TROUBLE), f"{name}: {later.message} was recorded twice")

    # --- Of a worker whose lease passed to another --------------------------------------------------------------------

    def written(self, pk):
        """All that a worker may write of an instance; None if it was removed."""
        token = Token.objects.select_related("instance").filter(pk=pk).first()
        if token is None:
            return None
        following = NextValues.objects.filter(pk=pk).values_list("added_at", "refused_at").first()
        told = token.instance.events.count()
        return [getattr(token, name) for name in WRITTEN], token.instance.reason, following, told

    # --- Of what a reader gets ----------------------------------------------------------------------------------------

    def would_do(self, name, token, min_ttl):
        """Whether this token, as it stands there, must be served at once."""
        if token is None or token.instance.status == Status.PAUSED:
            return False
        minted = self.scene.world.clients[name].minted.get(token.bought.access_token)
        if minted is None or token.is_rejected or minted.value in self.rejected:
            return False
        return minted.expires_at is None or self._left(minted) >= max(min_ttl if min_ttl is not None else 30.0, 1.0)

    def judge_served(self, name, min_ttl, read):
        minted = self.scene.world.clients[name].minted[read.access_token]
        self.claim(minted.lives(self.scene.clock()), f"{name}: a dead token was served")
        self.claim(minted.value not in self.rejected, f"{name}: a rejected token was served")
        self.claim(
            minted.expires_at is None or min_ttl is None or self._left(minted) >= min_ttl,
            f"{name}: a token was served with less to live than was asked for",
        )
        status = Instance.objects.filter(pk=self.scene.pks[name]).values_list("status", flat=True).first()
        self.claim(
            status not in (None, Status.PAUSED), f"{name}: a token of a {status or 'removed'} instance was served"
        )

    def judge_refusal(self, name, error):
        instance = Instance.objects.filter(pk=self.scene.pks[name]).first()
        if isinstance(error, InstanceNotFound):
            self.claim(instance is None, f"{name} was not found although it is there")
        elif isinstance(error, NotConnected):
            self.claim(instance.status in (Status.PAUSED, Status.PENDING), f"{name} is {instance.status}: {error}")
        elif isinstance(error, MintBudgetSpent):
            self.claim(name == "budgeted", f"{name} has no budget: {error}")
        elif not isinstance(error, ProviderUnavailable):
            self.claim(instance.status in (*TROUBLE, Status.PAUSED), f"{name} is {instance.status} after {error}")

    def _left(self, minted):
        return (minted.expires_at - self.scene.clock()).total_seconds()
