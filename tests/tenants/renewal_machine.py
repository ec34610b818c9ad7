"""Random walks through the life of a few instances, held against what must be true after each step."""

from contextlib import contextmanager, suppress

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from connectors.oauth2.errors import LatchkeyError
from tenants import connecting, next_secret, schedule
from tenants.models import Endpoint, Instance, Token
from tests.tenants.renewal_promises import Promises
from tests.tenants.renewal_rest import come_to_rest
from tests.tenants.renewal_scene import CLIENTS, SECRETS, Scene
from tests.tenants.renewal_worker import Worker

names = st.sampled_from([name for name, *_ in CLIENTS])
delays = st.sampled_from([0, 1, 14, 20, 40, 200])


class RenewalMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.operations = 0
        self.whole = transaction.atomic()
        self.whole.__enter__()
        self.scene = Scene()
        self.clock, self.world = self.scene.clock, self.scene.world
        self.promises = Promises(self.scene)

    def teardown(self):
        try:
            if not self.promises.faults:
                come_to_rest(self.scene, self.promises, tick=self.tick, read=self.reading)
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
                schedule.renew_chunk(send=self.world.send, clock=self.clock, at_once=1)
        closed |= set(Endpoint.objects.closed().values_list("origin", flat=True))
        left = Token.objects.due(began).exclude(endpoint__in=closed)
        self.promises.claim(not left.exists(), "what was due is left over after a tick")

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
        worker = Worker.taking_one(self.scene)
        if worker is None:
            return
        name = worker.name
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
            worker.renew(meanwhile=self.meanwhile(delay, actions.get(then)), death=death)

    @rule(asks=st.booleans(), is_busy=st.booleans())
    def a_worker_stalls_until_another_has_its_lease(self, asks, is_busy):
        """Whether it has its answer or was only about to give the token back: from then on it changes nothing."""
        self.overtaking(asks=asks, is_busy=is_busy)

    def overtaking(self, *, asks, is_busy, first=lambda: None):
        """Whether one worker got another's lease, and what happens first.

        `is_busy`: it has not asked yet when the other comes back.
        """
        worker = Worker.taking_one(self.scene)
        if worker is None:
            return False
        pk, left = self.scene.pks[worker.name], []

        def stall():
            first()
            other = worker.overtaken_by()
            if other and not is_busy:
                other.renew()
            left.extend((other, self.promises.written(pk)))

        with self.operation(is_automatic=True):
            if asks:
                worker.renew(afterwards=stall)
            else:
                stall()
                worker.give_back()
            other, before = left or (None, None)
            if other:
                is_so = self.promises.written(pk) == before
                self.promises.claim(is_so, f"{worker.name}: a worker wrote whose lease was another's")
                if is_busy:
                    other.renew()
        return other is not None

    # --- What people and integrations do --------------------------------------------------------------------------

    @rule(name=names, secret=st.sampled_from(SECRETS))
    def reconnect(self, name, secret):
        with self.operation(name), suppress(LatchkeyError):
            values = {"client_id": name, "client_secret": secret}
            connecting.reconnect(self.scene.found(name), values=values, **self.scene.outside)

    @rule(name=names)
    def check(self, name):
        with self.operation(name), suppress(LatchkeyError):
            connecting.check_now(self.scene.found(name), **self.scene.outside)

    @rule(name=names, secret=st.sampled_from(SECRETS))
    def a_next_secret_is_added(self, name, secret):
        with self.operation(name), suppress(LatchkeyError):
            next_secret.add(self.scene.found(name), {"client_secret": secret}, **self.scene.outside)

    @rule(name=names, is_retired=st.booleans())
    def the_next_secret_is_dropped_or_the_present_one_retired(self, name, is_retired):
        with self.operation(), suppress(LatchkeyError):
            (next_secret.retire_present if is_retired else next_secret.drop)(self.scene.found(name), clock=self.clock)

    @rule(name=names)
    def pause(self, name):
        self.pausing(name)()

    @rule(name=names)
    def resume(self, name):
        with self.operation(name), suppress(LatchkeyError):
            connecting.resume(self.scene.found(name), clock=self.clock)

    @rule(name=names)
    def an_api_rejects_the_token(self, name):
        self.rejecting(name)()

    def remove(self, name):
        with self.operation(name), suppress(LatchkeyError):
            connecting.remove(self.scene.found(name))

    def pausing(self, name):
        def pause():
            with self.operation(name), suppress(LatchkeyError):
                connecting.pause(self.scene.found(name), clock=self.clock)

        return pause

    def rejecting(self, name):
        def reject():
            with self.operation(), suppress(LatchkeyError):
                instance = self.scene.found(name)
                value = instance.token.bought.access_token
                if instance.report_rejected(value, clock=self.clock):
                    self.promises.rejected.add(value)
                    # The provider itself no longer holds to it, or would hand it back for ever.
                    client = self.world.clients[name]
                    if client.newest and client.newest.value == value:
                        client.newest = None

        return reject

    # --- How --------------------------------------------------------------------------------------------------------

    def meanwhile(self, delay, action):
        def happen():
            self.clock.sleep(delay)
            if action:
                action()

        return happen

    def reading(self, name, min_ttl, meanwhile=None):
        """Read, and judge what came of it."""
        asked, now = len(self.world.clients[name].requests), self.clock()
        before = Token.objects.select_related("instance").filter(pk=self.scene.pks[name]).first()
        would_do = self.promises.would_do(name, before, min_ttl)
        with self.operation(is_automatic=True):
            self.world.meanwhile = meanwhile
            try:
                read = self.scene.found(name).credentials(min_ttl, **self.scene.outside)
            except LatchkeyError as error:
                self.promises.claim(not would_do, f"{name}: {error} although there was a good token")
                self.promises.judge_refusal(name, error)
            else:
                self.promises.judge_served(name, min_ttl, read)
            self.world.meanwhile = None
        if would_do:
            is_asked = len(self.world.clients[name].requests) != asked
            self.promises.claim(not is_asked, f"{name} was asked for although there was a good token")
            self.promises.claim(self.clock() == now, "a reader of a good token had to wait")

    @contextmanager
    def operation(self, name="", *, is_automatic=False):
        """One thing that happens, perhaps in the middle of another; afterwards everything must be whole."""
        world = self.world
        outer = world.operation, world.is_automatic, world.forbidden
        self.operations += 1
        world.operation, world.is_automatic = self.operations, is_automatic
        idle = (Instance.Status.ACTION_REQUIRED, Instance.Status.PAUSED)
        world.forbidden = {self.scene.names[one.pk] for one in Instance.objects.filter(status__in=idle)}
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
        self.promises.look_at_everything()
