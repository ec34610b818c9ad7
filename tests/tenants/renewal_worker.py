"""A worker of the model of renewal: it takes one token, and may be slow, be overtaken, or die."""

from contextlib import suppress
from uuid import uuid4

from connectors.oauth2.errors import LatchkeyError
from tenants.models import Endpoint, Token
from tenants.models.lease import Ends, claim, lease_length
from tests.tenants.renewal_world import Killed


class Worker:
    """Holds the lease of one token that was due."""

    def __init__(self, token, scene):
        self._token = token
        self._scene = scene
        self.name = scene.names[token.pk]

    @classmethod
    def taking_one(cls, scene, *, pk=None):
        """None where nothing is due, or `pk` isn't."""
        closed = Endpoint.objects.closed().values("origin")
        owner, now = uuid4(), scene.clock()
        waiting = Token.objects.due(now).exclude(endpoint__in=closed)
        waiting = waiting if pk is None else waiting.filter(pk=pk)
        claimed = claim(waiting, now, owner=owner, ends=Ends.at(now + lease_length()), limit=1)
        if not claimed:
            return None
        token = Token.objects.with_methods().get(pk=claimed[0])
        token.hold(owner)
        return cls(token, scene)

    def renew(self, *, meanwhile=None, afterwards=None, death=""):
        """Ask and write, as the schedule does. `afterwards` happens once the provider has answered."""
        world = self._scene.world
        world.meanwhile, world.afterwards, world.death = meanwhile, afterwards, death
        try:
            with suppress(LatchkeyError):
                self._token.renew(send=world.send, clock=self._scene.clock)
            self.give_back()
        except Killed:
            pass
        world.meanwhile, world.afterwards, world.death = None, None, ""

    def give_back(self):
        self._token.give_back()

    def overtaken_by(self):
        """Another worker, once the lease is over; None if nothing is left to do for it."""
        self._scene.clock.sleep(lease_length().total_seconds() + 1)
        return type(self).taking_one(self._scene, pk=self._token.pk)
