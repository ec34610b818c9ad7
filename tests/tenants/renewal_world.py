"""Providers with a memory, for the model of renewal: they hold every request against the rules of good conduct.

What breaks a rule is noted in `broken`, not raised: a request may come from a thread that swallows errors.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from connectors.oauth2.budgets import Budget
from connectors.oauth2.errors import ProviderUnavailable
from tests.tenants.provider import answer


class Killed(BaseException):
    """The process that was asking is gone: nothing of ours catches this."""


@dataclass
class Minted:
    """A token as its provider knows it."""

    value: str
    serial: int
    secret: str
    expires_at: datetime | None

    def lives(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass
class Request:
    """A token request; in flight until it is answered, or until its deadline if nobody waits for it any more."""

    at: datetime
    operation: int
    is_over: bool = False

    def in_flight(self, now: datetime) -> bool:
        return not self.is_over and now < self.at + timedelta(seconds=settings.OUTBOUND_TIMEOUT)


@dataclass
class Client:
    """A client at a provider. `lifetime` is that of its next tokens, in seconds; None: they have no end."""

    host: "Host"
    secrets: set[str]
    lifetime: int | None = 3600
    repeats: bool = False
    budget: Budget | None = None
    talks_nonsense: bool = False
    requests: list[Request] = field(default_factory=list)
    minted: dict[str, Minted] = field(default_factory=dict)
    newest: Minted | None = None
    # From when on the platform may ask by itself again, as the model reckons.
    not_before: datetime | None = None


@dataclass
class Host:
    """`mood` is well, down, broken (503) or busy (429, with a wish to be left alone for so many seconds)."""

    mood: str = "well"
    wish: int = 60
    alone_until: datetime | None = None
    wished_in: int = 0


@dataclass
class World:
    """All providers, as `send`. `operation` numbers what the platform does; `is_automatic`: nobody asked for it."""

    clock: Callable[[], datetime]
    hosts: dict[str, Host] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    operation: int = 0
    is_automatic: bool = False
    # Clients for whom the platform may not ask by itself during this operation.
    forbidden: set[str] = field(default_factory=set)
    # What happens while the next request is in flight, once; and whether the asker dies before or after its answer.
    meanwhile: Callable[[], None] | None = None
    # What happens once it is answered, before the asker hears of it: once too.
    afterwards: Callable[[], None] | None = None
    death: str = ""
    serial: int = 0

    def send(self, request):
        body = parse_qs(request.body.decode())
        name, secret = body["client_id"][0], body["client_secret"][0]
        client = self.clients[name]
        host = self.hosts[urlsplit(request.url).netloc]
        sent = Request(self.clock(), self.operation)
        self._judge(name, client, host)
        client.requests.append(sent)
        meanwhile, self.meanwhile = self.meanwhile, None
        afterwards, self.afterwards = self.afterwards, None
        death, self.death = self.death, ""
        if meanwhile:
            meanwhile()
        if death == "before the answer":
            raise Killed
        wish = host.alone_until, host.wished_in
        answered = self._answer(client, host, secret)
        if death:
            # What was wished binds nobody: who heard it is gone.
            host.alone_until, host.wished_in = wish
            raise Killed
        sent.is_over = True
        if afterwards:
            afterwards()
        if isinstance(answered, ProviderUnavailable):
            raise answered
        return answered

    def _judge(self, name, client, host):
        now = self.clock()
        if any(other.in_flight(now) for other in client.requests):
            self.broken.append(f"{name} was asked for while another request was in flight")
        if host.alone_until and now < host.alone_until and host.wished_in != self.operation:
            self.broken.append(f"{name} was asked for although the endpoint wants to be left alone")
        if client.budget:
            recent = [one for one in client.requests if one.at > now - client.budget.period]
            if len(recent) >= client.budget.requests:
                self.broken.append(f"{name} was asked for beyond the budget")
        if not self.is_automatic:
            return
        if name in self.forbidden:
            self.broken.append(f"{name} was asked for although only a person can mend it, or it is paused")
        if client.not_before and now < client.not_before:
            self.broken.append(f"{name} was asked for during its backoff")

    def _answer(self, client, host, secret):
        now = self.clock()
        if host.mood == "down":
            return ProviderUnavailable("No answer came.", is_endpoints=True)
        if host.mood == "broken":
            return answer(503, {"error": "temporarily_unavailable"})
        if host.mood == "busy":
            host.alone_until = max(filter(None, (host.alone_until, now + timedelta(seconds=host.wish))))
            host.wished_in = self.operation
            return answer(429, {"error": "slow_down"}, Retry_After=str(host.wish))
        # An answer: whoever waited for this endpoint may go on.
        for other in self.clients.values():
            if other.host is host:
                other.not_before = None
        if client.talks_nonsense:
            return answer(200, {"hello": "world"})
        if secret not in client.secrets:
            return answer(401, {"error": "invalid_client"})
        return self._issue(client, secret, now)

    def _issue(self, client, secret, now):
        token = client.newest
        left = None
        if token is not None and token.expires_at is not None:
            left = int((token.expires_at - now).total_seconds())
        if token is None or not client.repeats or (left is not None and left < 1):
            self.serial += 1
            left = client.lifetime
            expires_at = None if left is None else now + timedelta(seconds=left)
            token = Minted(f"token-{self.serial}", self.serial, secret, expires_at)
            client.minted[token.value] = client.newest = token
        lifetime = {} if left is None else {"expires_in": left}
        return answer(200, {"access_token": token.value, "token_type": "Bearer", **lifetime})
