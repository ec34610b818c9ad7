"""What is to be told by mail, put down for each reader: collected for some minutes, so that an outage is one mail."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from integrations.mail import recipients
from integrations.models import Mailbox, MailItem, WebhookEndpoint
from tenants.models import Instance, Notice

# From the first thing to tell until the mail goes out; and between two mails to the same address.
COLLECT = timedelta(minutes=5)
COOL_DOWN = timedelta(minutes=30)

ENDPOINT_DISABLED = "webhook.disabled"
# They call for a mail; that something works again is mentioned in the next one.
URGENT = (Notice.Type.ACTION_REQUIRED, Notice.Type.SECRET_EXPIRING, ENDPOINT_DISABLED)


def queue(notices: Sequence[Notice], now: datetime) -> None:
    """Put down what of these is told by mail. Needs a transaction."""
    told = [notice for notice in notices if _is_told(notice)]
    if not told:
        return
    administrators = recipients.administrators()
    members = recipients.of_tenants(notice.tenant_id for notice in told)
    items = [
        (address, _item(notice, address in administrators))
        for notice in told
        for address in sorted(administrators | members[notice.tenant_id])
    ]
    _put_down(items, now)


def queue_disabled(endpoint: WebhookEndpoint, reason: str, now: datetime) -> None:
    """Tell the administrators that an endpoint was disabled. Needs a transaction."""
    about = {"type": ENDPOINT_DISABLED, "at": now, "endpoint": endpoint, "detail": reason}
    addresses = sorted(recipients.administrators())
    _put_down([(address, MailItem(is_for_administrators=True, **about)) for address in addresses], now)


def _is_told(notice: Notice) -> bool:
    if notice.type == Notice.Type.RECOVERED:
        return notice.status_before == Instance.Status.ACTION_REQUIRED
    return notice.type in URGENT


def _item(notice: Notice, is_for_administrators: bool) -> MailItem:
    return MailItem(
        is_for_administrators=is_for_administrators,
        type=notice.type,
        at=notice.at,
        tenant_id=notice.tenant_id,
        instance_id=notice.instance_id,
        detail=notice.detail,
    )


def _put_down(items: Iterable[tuple[str, MailItem]], now: datetime) -> None:
    by_address: dict[str, list[MailItem]] = {}
    for address, item in items:
        by_address.setdefault(address, []).append(item)
    Mailbox.objects.bulk_create([Mailbox(address=address) for address in sorted(by_address)], ignore_conflicts=True)
    # Locked, so that who is just sending sees these items, or leaves the mailbox to us.
    boxes = list(Mailbox.objects.select_for_update().filter(address__in=by_address).order_by("pk"))
    for box in boxes:
        mine = by_address[box.address]
        for item in mine:
            item.mailbox = box
        if box.due_at is None and any(item.type in URGENT for item in mine):
            rested = box.sent_at + COOL_DOWN if box.sent_at else now
            Mailbox.objects.filter(pk=box.pk).update(due_at=max(now + COLLECT, rested))
    MailItem.objects.bulk_create([item for box in boxes for item in by_address[box.address]], batch_size=500)
