"""Pass on what happened: to the host's webhooks, and to people by mail."""

from datetime import datetime

from django.db import transaction

from connectors.oauth2.exchange import Clock
from integrations.mail.queueing import queue
from integrations.webhooks.fanning_out import fan_out
from tenants import database_time
from tenants.models import Notice

BATCH = 500


def pass_on(*, clock: Clock = database_time.now) -> int:
    """Turn notices into deliveries and mail to be sent; how many notices there were.

    Each batch is one transaction: a notice is gone exactly when what follows from it is there. Several workers may do
    this at once; a notice whose transaction was slow to commit is found later, whatever its id.
    """
    passed = 0
    # Without this look SQLite's writers would wait for a transaction that mostly finds nothing.
    while Notice.objects.exists():
        count = _pass_batch(clock())
        if not count:  # others have them
            break
        passed += count
    return passed


def _pass_batch(now: datetime) -> int:
    related = ("tenant", "connector", "auth_method")
    waiting = Notice.objects.select_for_update(skip_locked=True, of=("self",)).select_related(*related).order_by("pk")
    light = waiting.only(*(field.name for field in Notice._meta.concrete_fields), *(f"{name}__key" for name in related))
    with transaction.atomic():
        notices = list(light[:BATCH])
        if notices:
            fan_out(notices, now)
            queue(notices, now)
            Notice.objects.filter(pk__in=[notice.pk for notice in notices]).delete()
    return len(notices)
