"""The scene of the model of renewal: a few instances of one tenant, their providers, and the clock of all."""

from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.oauth2.budgets import parse_budget
from tenants import connecting
from tenants.errors import InstanceNotFound
from tenants.models import Instance, Tenant
from tests.tenants.provider import make_method
from tests.tenants.renewal_world import Client, Host, World

SECRETS = ("s3cret-one", "s3cret-two", "s3cret-three")
BUDGET = "4/hour"

# (name, host, sections of the definition, properties of the client)
CLIENTS: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("hourly", "auth.example.com", {}, {}),
    ("short", "auth.example.com", {}, {"lifetime": 60}),
    ("endless", "auth.example.com", {}, {"lifetime": None}),
    ("jealous", "auth.example.com", {"refresh": {"invalidates_previous": True}}, {}),
    ("budgeted", "other.example.com", {"refresh": {"max_requests": BUDGET}}, {"budget": parse_budget(BUDGET)}),
    ("repeating", "other.example.com", {}, {"repeats": True, "lifetime": 900}),
)


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


class Scene:
    """Everything is connected, just now, with the first secret."""

    def __init__(self):
        self.clock = Clock()
        self.world = World(self.clock)
        self.pks = {name: self._connected(name, *rest) for name, *rest in CLIENTS}

    def _connected(self, name, host, sections, properties):
        tenant, _ = Tenant.objects.get_or_create(key="acme", name="Acme")
        known = self.world.hosts.setdefault(host, Host())
        self.world.clients[name] = Client(known, {SECRETS[0]}, **properties)
        method = make_method(name, token_request={"url": f"https://{host}/token"}, **sections)
        values = {"client_id": name, "client_secret": SECRETS[0]}
        return connecting.connect(tenant, method, values=values, send=self.world.send, clock=self.clock).pk

    @property
    def outside(self):
        return {"send": self.world.send, "clock": self.clock, "sleep": self.clock.sleep}

    @property
    def names(self):
        """By primary key."""
        return {pk: name for name, pk in self.pks.items()}

    def found(self, name):
        instance = Instance.objects.for_reading().filter(pk=self.pks[name]).first()
        if instance is None:
            raise InstanceNotFound("It is gone.")
        return instance
