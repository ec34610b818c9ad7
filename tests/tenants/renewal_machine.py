"""Random walks through the life of a few instances, held against what must be true after each step."""

from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from connectors.oauth2.budgets import parse_budget
from connectors.oauth2.errors import LatchkeyError
from tenants import connecting, next_secret, renewal, schedule
from tenants.errors import InstanceNotFound, MintBudgetSpent, NotConnected, ProviderUnavailable
from tenants.models import Endpoint, Event, Instance, Tenant, Token
from tenants.models.lease import lease_length
from tests.tenants.provider import make_method
from tests.tenants.renewal_world import Client, Host, Killed, World

SECRETS = ("s3cret-one", "s3cret-two", "s3cret-three")
BUDGET = "4/hour"
Status = Instance.Status
TROUBLE = (Status.FAILING, Status.ACTION_REQUIRED)

# (name, host, sections of the definition, properties of the client)
CLIENTS: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("hourly", "auth.example.com", {}, {}),
    ("short", "auth.example.com", {}, {"lifetime": 60}),
    ("endless", "auth.example.com", {}, {"lifetime": None}),
    ("jealous", "auth.example.com", {"refresh": {"invalidates_previous": True}}, {}),
    ("budgeted", "other.example.com", {"refresh": {"max_requests": BUDGET}}, {"budget": parse_budget(BUDGET)}),
    ("repeating", "other.example.com", {}, {"repeats": True, "lifetime": 900}),
)
# The longest backoff with its jitter, a probe's pause, a lease that must end, the budget's period, and some more.
RECOVERED_WITHIN = renewal.BACKOFF_MOST * 1.25 + renewal.PROBE_MOST + timedelta(hours=1, minutes=10)
JUMPS = 200  # from one point of time at which something is due to the next

names = st.sampled_from([name for name, *_ in CLIENTS])
delays = st.sampled_from([0, 1, 14, 20, 40, 200])


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


class RenewalMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.world = World(self.clock)
        self.rejected = set()
        self.serials = {}
        self.failures = {}
        self.faults = []
        self.operations = 0
        self.whole = transaction.atomic()
        self.whole.__enter__()
        self.pks = {name: self.connected(name, *rest) for name, *rest in CLIENTS}

    def connected(self, name, host, sections, properties):
        tenant, _ = Tenant.objects.get_or_create(key="acme", name="Acme")
        known = self.world.hosts.setdefault(host, Host())
        self.world.clients[name] = Client(known, {SECRETS[0]}, **properties)
        method = make_method(name, token_request={"url": f"https://{host}/token"}, **sections)
        values = {"client_id": name, "client_secret": SECRETS[0]}
        return connecting.connect(tenant, method, values=values, send=self.world.send, clock=self.clock).pk

    def teardown(self):
        try:
            if not self.faults:
                self.come_to_rest()
        finally:
            transaction.set_rollback(True)
            self.whole.__exit__(None, None, None)

    # --- What the outside world does ------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 5, 31, 120, 900, 4000]))
    def time_passes(self, seconds):
        self.clock.sleep(seconds)

    @rule(host=st.sampled_from(["auth.example.com", "other.example.com"]), mood=st.sampled_from(["down", "broken"]))
    def a_host_is_in_trouble(self, host, mood):
        self.world.hosts[host].mood = mood

    @rule(host=st.sampled_from(["auth.example.com", "other.example.com"]), wish=st.sampled_from([2, 30, 300]))
    def a_host_is_busy(self, host, wish):
        self.world.hosts[host].mood, self.world.hosts[host].wish = "busy", wish

    @rule()
    def all_hosts_are_well(self):
        for host in self.world.hosts.values():
            host.mood = "well"

    @rule(name=names, lifetime=st.sampled_from([10, 60, 3600, 86400, None]), nonsense=st.booleans())
    def a_provider_changes_its_ways(self, name, lifetime, nonsense):
        self.world.clients[name].lifetime, self.world.clients[name].talks_nonsense = lifetime, nonsense

    @rule(name=names, secrets=st.sets(st.sampled_from(SECRETS), min_size=1))
    def a_provider_knows_these_secrets(self, name, secrets):
        self.world.clients[name].secrets = secrets

    # --- What the platform does by itself -------------------------------------------------------------------------

    @rule()
    def tick(self):
        began = self.clock()
        closed = set(Endpoint.objects.closed().values_list("origin", flat=True))
        with self.operation(is_automatic=True):
            for _ in range(schedule.chunks_due(self.clock)):
                schedule.renew_chunk(send=self.world.send, clock=self.clock, threads=1)
        closed |= set(Endpoint.objects.closed().values_list("origin", flat=True))
        left = Token.objects.due(began).exclude(endpoint__in=closed)
        self.claim(not left.exists(), "what was due is left over after a tick")

    @rule(name=names, min_ttl=st.sampled_from([None, 0, 5, 45, 4000]), delay=delays, then=st.integers(0, 3))
    def read(self, name, min_ttl, delay, then):
        self.reading(
            name, min_ttl, self.meanwhile(delay, [None, self.tick, self.rejecting(name), self.pausing(name)][then])
        )

    @rule(
        delay=delays,
        then=st.sampled_from(["", "tick", "read", "reject", "pause", "reconnect", "add", "remove"]),
        death=st.sampled_from(["", "", "before the answer", "after the answer"]),
        min_ttl=st.sampled_from([None, 45]),
    )
    def a_worker_takes_one_and_may_be_slow_or_die(self, delay, then, death, min_ttl):
        closed = Endpoint.objects.closed().values("origin")
        owner, now = uuid4(), self.clock()
        waiting = Token.objects.exclude(endpoint__in=closed)
        claimed = waiting.claim_due(now, owner=owner, until=lambda _: now + lease_length(), limit=1)
        if not claimed:
            return
        token = Token.objects.with_definitions().get(pk=claimed[0])
        token.hold(owner)
        (name,) = (name for name, pk in self.pks.items() if pk == token.pk)
        actions = {
            "tick": self.tick,
            "read": lambda: self.reading(name, min_ttl),
            "reject": self.rejecting(name),
            "pause": self.pausing(name),
            "reconnect": lambda: self.reconnect(name, SECRETS[1]),
            "add": lambda: self.a_next_secret_is_added(name, SECRETS[1]),
            "remove": lambda: self.remove(name),
        }
        with self.operation(is_automatic=True):
            self.world.meanwhile, self.world.death = self.meanwhile(delay, actions.get(then)), death
            try:
                with suppress(LatchkeyError):
                    token.renew(send=self.world.send, clock=self.clock)
                token.give_back()
            except Killed:
                pass
            self.world.meanwhile, self.world.death = None, ""

    # --- What people and integrations do --------------------------------------------------------------------------

    @rule(name=names, secret=st.sampled_from(SECRETS))
    def reconnect(self, name, secret):
        with self.operation(name), suppress(LatchkeyError):
            values = {"client_id": name, "client_secret": secret}
            connecting.reconnect(self.found(name), values=values, **self.outside)

    @rule(name=names)
    def check(self, name):
        with self.operation(name), suppress(LatchkeyError):
            connecting.check_now(self.found(name), **self.outside)

    @rule(name=names, secret=st.sampled_from(SECRETS))
    def a_next_secret_is_added(self, name, secret):
        with self.operation(name), suppress(LatchkeyError):
            next_secret.add(self.found(name), {"client_secret": secret}, **self.outside)

    @rule(name=names, is_retired=st.booleans())
    def the_next_secret_is_dropped_or_the_present_one_retired(self, name, is_retired):
        with self.operation(), suppress(LatchkeyError):
            (next_secret.retire_present if is_retired else next_secret.drop)(self.found(name), clock=self.clock)

    @rule(name=names)
    def pause(self, name):
        self.pausing(name)()

    @rule(name=names)
    def resume(self, name):
        with self.operation(name), suppress(LatchkeyError):
            connecting.resume(self.found(name), clock=self.clock)

    @rule(name=names)
    def an_api_rejects_the_token(self, name):
        self.rejecting(name)()

    def remove(self, name):
        with self.operation(name), suppress(LatchkeyError):
            connecting.remove(self.found(name))

    def pausing(self, name):
        def pause():
            with self.operation(name), suppress(LatchkeyError):
                connecting.pause(self.found(name), clock=self.clock)

        return pause

    def rejecting(self, name):
        def reject():
            with self.operation(), suppress(LatchkeyError):
                instance = self.found(name)
                value = instance.token.bought.access_token
                if instance.report_rejected(value, clock=self.clock):
                    self.rejected.add(value)
                    # The provider itself no longer holds to it, or would hand it back for ever.
                    client = self.world.clients[name]
                    if client.newest and client.newest.value == value:
                        client.newest = None

        return reject

    # --- How --------------------------------------------------------------------------------------------------------

    @property
    def outside(self):
        return {"send": self.world.send, "clock": self.clock, "sleep": self.clock.sleep}

    def found(self, name):
        instance = Instance.objects.for_reading().filter(pk=self.pks[name]).first()
        if instance is None:
            raise InstanceNotFound("It is gone.")
        return instance

    def meanwhile(self, delay, action):
        def happen():
            self.clock.sleep(delay)
            if action:
                action()

        return happen

    def reading(self, name, min_ttl, meanwhile=None):
        """Read, and judge what came of it."""
        client = self.world.clients[name]
        asked = len(client.requests)
        before = Token.objects.select_related("instance").filter(pk=self.pks[name]).first()
        now = self.clock()
        would_do = (
            before is not None and before.instance.status != Status.PAUSED and self.would_do(name, before, min_ttl)
        )
        with self.operation(is_automatic=True):
            self.world.meanwhile = meanwhile
            try:
                read = self.found(name).credentials(min_ttl, **self.outside)
            except LatchkeyError as error:
                self.claim(not would_do, f"{name}: {error} although there was a good token")
                self.judge_refusal(name, before, error)
            else:
                self.judge_served(name, min_ttl, read)
            self.world.meanwhile = None
        if would_do:
            self.claim(len(client.requests) == asked, f"{name} was asked for although there was a good token")
            self.claim(self.clock() == now, "a reader of a good token had to wait")

    def would_do(self, name, token, min_ttl):
        minted = self.world.clients[name].minted.get(token.bought.access_token)
        if minted is None or token.is_rejected or minted.value in self.rejected:
            return False
        return minted.expires_at is None or self.left(minted) >= max(min_ttl if min_ttl is not None else 30.0, 1.0)

    def left(self, minted):
        return (minted.expires_at - self.clock()).total_seconds()

    def judge_served(self, name, min_ttl, read):
        minted = self.world.clients[name].minted[read.access_token]
        self.claim(minted.lives(self.clock()), f"{name}: a dead token was served")
        self.claim(minted.value not in self.rejected, f"{name}: a rejected token was served")
        self.claim(
            minted.expires_at is None or min_ttl is None or self.left(minted) >= min_ttl,
            f"{name}: a token was served with less to live than was asked for",
        )
        status = Instance.objects.filter(pk=self.pks[name]).values_list("status", flat=True).first()
        self.claim(
            status not in (None, Status.PAUSED), f"{name}: a token of a {status or 'removed'} instance was served"
        )

    def judge_refusal(self, name, before, error):
        instance = Instance.objects.filter(pk=self.pks[name]).first()
        if isinstance(error, InstanceNotFound):
            self.claim(instance is None, f"{name} was not found although it is there")
        elif isinstance(error, NotConnected):
            self.claim(instance.status in (Status.PAUSED, Status.PENDING), f"{name} is {instance.status}: {error}")
        elif isinstance(error, MintBudgetSpent):
            self.claim(name == "budgeted", f"{name} has no budget: {error}")
        elif not isinstance(error, ProviderUnavailable):
            self.claim(instance.status in (*TROUBLE, Status.PAUSED), f"{name} is {instance.status} after {error}")

    @contextmanager
    def operation(self, name="", *, is_automatic=False):
        """One thing that happens, perhaps in the middle of another; afterwards everything must be whole."""
        world = self.world
        outer = world.operation, world.is_automatic, world.forbidden
        self.operations += 1
        world.operation, world.is_automatic = self.operations, is_automatic
        idle = (Status.ACTION_REQUIRED, Status.PAUSED)
        by_pk = {pk: known for known, pk in self.pks.items()}
        world.forbidden = {by_pk[one.pk] for one in Instance.objects.filter(status__in=idle)}
        if name:
            world.clients[name].not_before = None
        try:
            yield
        finally:
            # Who was interrupted may find things changed.
            world.operation, world.is_automatic = outer[:2]
            world.forbidden = set()
        if name:
            world.clients[name].not_before = None
        self.look_at_everything()

    def claim(self, is_so, otherwise):
        if not is_so:
            self.faults.append(otherwise)
        assert is_so, otherwise

    # --- What must be true --------------------------------------------------------------------------------------------

    def look_at_everything(self):
        self.claim(not self.world.broken, "; ".join(self.world.broken))
        rows = Instance.objects.select_related("token").prefetch_related("events")
        by_pk = {instance.pk: instance for instance in rows}
        for name, pk in self.pks.items():
            if pk in by_pk:
                self.look_at(name, by_pk[pk], by_pk[pk].token)

    def look_at(self, name, instance, token):
        self.look_at_history(name, instance)
        status, known = instance.status, self.world.clients[name].minted
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
            self.claim(token.lease_until <= self.clock() + 10 * lease_length(), f"{name} has an endless lease")
        serial = known[token.bought.access_token].serial
        self.claim(serial >= self.serials.get(name, 0), f"{name}: an older token was written over a newer one")
        self.serials[name] = serial
        self.reckon_backoff(name, token, status)

    def reckon_backoff(self, name, token, status):
        seen, self.failures[name] = self.failures.get(name), (token.failures, token.refresh_at)
        client = self.world.clients[name]
        if seen == self.failures[name] or not token.failures or status != Status.FAILING or not client.requests:
            return
        least = min(renewal.BACKOFF_FIRST * 2.0 ** min(token.failures - 1, 16), renewal.BACKOFF_MOST) * 0.75
        client.not_before = client.requests[-1].at + least

    def look_at_history(self, name, instance):
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

    # --- The end ------------------------------------------------------------------------------------------------------

    def come_to_rest(self):
        """Trouble ends: within a bounded time everything has a live token, or a reason for which it has none."""
        for host in self.world.hosts.values():
            host.mood = "well"
        for client in self.world.clients.values():
            client.talks_nonsense, client.lifetime = False, 86400
        began = self.clock()
        for _ in range(JUMPS):
            self.tick()
            restless = [token for token in Token.objects.select_related("instance") if self.is_restless(token)]
            if not restless:
                break
            self.jump(restless)
        self.claim(not restless, f"{self.described(restless)} did not come to rest")
        self.claim(self.clock() - began < RECOVERED_WITHIN, f"recovery took {self.clock() - began}")
        for name, pk in self.pks.items():
            if Instance.objects.filter(pk=pk, status=Status.ACTIVE).exists():
                self.claim(not Token.objects.get(pk=pk).is_rejected, f"{name} serves nothing")
                self.reading(name, None)

    def is_restless(self, token):
        is_held = token.lease_until is not None and token.lease_until > self.clock()
        if is_held or token.instance.status == Status.FAILING:
            return True
        return token.instance.status == Status.ACTIVE and not token.will_do(self.clock(), 0.0)

    def described(self, tokens):
        by_pk = {pk: name for name, pk in self.pks.items()}
        rows = [
            (by_pk[token.pk], *token.instance.reason, token.refresh_at, token.lease_until, token.expires_at)
            for token in tokens
        ]
        return f"At {self.clock()}, {rows}, {list(Endpoint.objects.values())}: these"

    def jump(self, restless):
        """To when something happens next."""
        closed = dict(Endpoint.objects.closed().values_list("origin", "retry_at"))
        times = [closed.get(token.endpoint, token.refresh_at) for token in restless]
        times += [token.lease_until for token in restless if token.lease_until and token.lease_until > self.clock()]
        soon = self.clock() + timedelta(seconds=1)
        known = [time for time in times if time]
        self.claim(bool(known), f"{self.described(restless)} wait for nothing")
        self.clock.now = min([max(time, soon) for time in known])
