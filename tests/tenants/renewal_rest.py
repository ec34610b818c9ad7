"""How a walk of the model of renewal ends: trouble passes, and everything comes to rest."""

from datetime import timedelta

from tenants import renewal
from tenants.models import Endpoint, Instance, Token

# The longest backoff with its jitter, a probe's pause, a lease that must end, the budget's period, and some more.
RECOVERED_WITHIN = renewal.BACKOFF_MOST * 1.25 + renewal.PROBE_MOST + timedelta(hours=1, minutes=10)
JUMPS = 200  # from one point of time at which something is due to the next


def come_to_rest(scene, promises, *, tick, read):
    """Within a bounded time everything has a live token, or a reason for which it has none."""
    for host in scene.world.hosts.values():
        host.mood = "well"
    for client in scene.world.clients.values():
        client.talks_nonsense, client.lifetime = False, 86400
    began = scene.clock()
    for _ in range(JUMPS):
        tick()
        restless = [token for token in Token.objects.select_related("instance") if _is_restless(token, scene.clock())]
        if not restless:
            break
        times = _awaited(restless, scene.clock())
        promises.claim(bool(times), f"{_described(restless, scene)} wait for nothing")
        scene.clock.now = min(max(time, scene.clock() + timedelta(seconds=1)) for time in times)
    promises.claim(not restless, f"{_described(restless, scene)} did not come to rest")
    promises.claim(scene.clock() - began < RECOVERED_WITHIN, f"recovery took {scene.clock() - began}")
    for name, pk in scene.pks.items():
        if Instance.objects.filter(pk=pk, status=Instance.Status.ACTIVE).exists():
            promises.claim(not Token.objects.get(pk=pk).is_rejected, f"{name} serves nothing")
            read(name, None)


def _is_restless(token, now):
    is_held = token.lease_until is not None and token.lease_until > now
    if is_held or token.instance.status == Instance.Status.FAILING:
        return True
    return token.instance.status == Instance.Status.ACTIVE and not token.will_do(now, 0.0)


def _awaited(restless, now):
    """When something happens to these next."""
    closed = dict(Endpoint.objects.closed().values_list("origin", "retry_at"))
    times = [closed.get(token.endpoint, token.refresh_at) for token in restless]
    times += [token.lease_until for token in restless if token.lease_until and token.lease_until > now]
    return [time for time in times if time]


def _described(tokens, scene):
    rows = [
        (scene.names[token.pk], *token.instance.reason, token.refresh_at, token.lease_until, token.expires_at)
        for token in tokens
    ]
    return f"At {scene.clock()}, {rows}, {list(Endpoint.objects.values())}: these"
