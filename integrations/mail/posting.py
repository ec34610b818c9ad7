"""Mail that is due is sent: by one worker for each address, and tried again where the mail server fails."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from connectors.oauth2.exchange import Clock
from integrations import signals
from integrations.mail.composing import compose
from integrations.mail.queueing import COOL_DOWN, URGENT
from integrations.models import Mailbox, MailItem
from tenants import database_time
from tenants.models.lease import Ends, claim

logger = logging.getLogger(__name__)

AT_ONCE = 20
_LEASE = timedelta(minutes=10)
_AGAIN = timedelta(minutes=5)
# What could not be told for so long is not told any more.
_STALE = timedelta(days=3)

Post = Callable[[EmailMultiAlternatives], object]


def post_due(*, post: Post = EmailMultiAlternatives.send, clock: Clock = database_time.now) -> int:
    """Send the mail that is due; how many were sent.

    A worker that dies between sending and writing that down sends it twice: better than not at all.
    """
    owner, now, sent = uuid4(), clock(), 0
    claimed = claim(Mailbox.objects.due(now), now, owner=owner, ends=Ends.at(now + _LEASE), limit=AT_ONCE)
    for box in Mailbox.objects.filter(pk__in=claimed):
        sent += _post_one(box, owner, post, clock())
    return sent


def _post_one(box: Mailbox, owner: UUID, post: Post, now: datetime) -> bool:
    items = list(box.items.select_related("endpoint").order_by("pk"))
    mail = compose(box, [item for item in items if item.at > now - _STALE], now)
    try:
        if mail is not None:
            post(mail)
    except Exception as error:
        # The text of a mail server's error may quote the mail, or the password.
        logger.error("Mail could not be sent: %s", type(error).__name__)
        Mailbox.objects.filter(pk=box.pk, lease_owner=owner).update(
            due_at=now + _AGAIN, lease_owner=None, lease_until=None
        )
        signals.posted.send_robust(None, is_sent=False)
        return False
    if mail is not None:
        signals.posted.send_robust(None, is_sent=True)
    with transaction.atomic():
        if not Mailbox.objects.select_for_update().filter(pk=box.pk, lease_owner=owner).first():
            return mail is not None
        MailItem.objects.filter(pk__in=[item.pk for item in items]).delete()
        waiting = box.items.filter(type__in=URGENT).exists()
        Mailbox.objects.filter(pk=box.pk).update(
            sent_at=now if mail is not None else box.sent_at,
            due_at=now + COOL_DOWN if waiting else None,
            lease_owner=None,
            lease_until=None,
        )
    return mail is not None


def prune(now: datetime) -> None:
    """Forget what would only have been mentioned beside something else, and addresses without anything to tell."""
    MailItem.objects.filter(at__lt=now - _STALE).delete()
    Mailbox.objects.filter(items=None, due_at=None, sent_at__lt=now - timedelta(days=1)).delete()
