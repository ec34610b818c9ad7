"""A mail out of what there is to tell: what is still true of it, each thing once, with where to mend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from integrations.mail.queueing import ENDPOINT_DISABLED
from integrations.models import Component, Integration, Mailbox, MailItem
from tenants.models import Instance, Notice
from tenants.secret_expiry import WARN_DAYS

SALT = "integrations.mail"
MOST = 30  # things of one kind that are listed; of more the number is told
_HEADINGS = {
    Notice.Type.ACTION_REQUIRED: "Needs attention",
    Notice.Type.SECRET_EXPIRING: "Secrets that run out",
    ENDPOINT_DISABLED: "Webhook endpoints that were disabled",
    Notice.Type.RECOVERED: "Works again",
}


@dataclass(frozen=True)
class Line:
    """One thing, as the mail tells it. `url` leads to where it is mended, once the reader has signed in."""

    what: str
    detail: str
    url: str


@dataclass(frozen=True)
class Section:
    """Things of one kind. `more` are so many that are not listed."""

    heading: str
    lines: Sequence[Line]
    more: int


def compose(box: Mailbox, items: Sequence[MailItem], now: datetime) -> EmailMultiAlternatives | None:
    """The mail that tells these; None if nothing of it is true any more."""
    current = _current(items, now)
    urgent = [item for item in current if item.type != Notice.Type.RECOVERED]
    if not urgent:
        return None
    instances = _instances(current)
    sections = [_section(kind, [item for item in current if item.type == kind], instances) for kind in _HEADINGS]
    for_administrators = all(item.is_for_administrators for item in urgent)
    brand = "" if for_administrators else _brand(list(instances.values()))
    stop_url = "" if for_administrators else _stop_url(box.address)
    context = {
        "sections": [section for section in sections if section.lines],
        "brand": brand,
        "stop_url": stop_url,
    }
    mail = EmailMultiAlternatives(
        subject=_subject(urgent, instances),
        body=render_to_string("mail/digest.txt", context),
        from_email=_sender(brand),
        to=[box.address],
        headers={"Auto-Submitted": "auto-generated", **_unsubscribing(stop_url)},
    )
    mail.attach_alternative(render_to_string("mail/digest.html", context), "text/html")
    return mail


def address_in(token: str) -> str | None:
    """The address that a link in a mail is about."""
    try:
        return str(signing.loads(token, salt=SALT))
    except signing.BadSignature:
        return None


def _current(items: Sequence[MailItem], now: datetime) -> list[MailItem]:
    """What is still so, each thing once: somebody may have mended it while the mail was waiting."""
    pks = {item.instance_id for item in items if item.instance_id}
    rows = Instance.objects.filter(pk__in=pks)
    status: dict[Any, str] = dict(rows.values_list("pk", "status"))
    soon = now + timedelta(days=max(WARN_DAYS) + 1)
    expiring = rows.filter(filled_in__secret_expires_at__lte=soon, next_values=None)
    still_expiring = set(expiring.values_list("pk", flat=True))
    in_trouble = {item.instance_id for item in items if item.type == Notice.Type.ACTION_REQUIRED}

    def is_so(item: MailItem) -> bool:
        if item.type == ENDPOINT_DISABLED:
            return item.endpoint is not None and not item.endpoint.is_enabled
        if item.type == Notice.Type.SECRET_EXPIRING:
            return item.instance_id in still_expiring
        if item.type == Notice.Type.RECOVERED:
            # Who was never told of the trouble needn't hear of its end.
            return status.get(item.instance_id) == Instance.Status.ACTIVE and item.instance_id not in in_trouble
        return status.get(item.instance_id) == Instance.Status.ACTION_REQUIRED

    latest = {(item.type, item.instance_id, item.endpoint_id): item for item in items if is_so(item)}
    return list(latest.values())


def _instances(items: Sequence[MailItem]) -> dict[UUID, Instance]:
    rows = Instance.objects.select_related("tenant", "connector", "auth_method").defer("connector__logo")
    return rows.in_bulk({item.instance_id for item in items if item.instance_id})


def _section(kind: str, items: Sequence[MailItem], instances: dict[UUID, Instance]) -> Section:
    lines = [_line(item, instances) for item in items[:MOST]]
    return Section(_HEADINGS[kind], lines, max(0, len(items) - MOST))


def _line(item: MailItem, instances: dict[UUID, Instance]) -> Line:
    if item.endpoint is not None:
        page = reverse("admin:integrations_webhookendpoint_change", args=(item.endpoint_id,))
        return Line(str(item.endpoint), item.detail, settings.PUBLIC_URL + page)
    assert item.instance_id is not None  # noqa: S101 - for the type checker: an item is about one or the other
    instance = instances[item.instance_id]
    name = f" ({instance.name})" if instance.name else ""
    whose = f" of {instance.tenant}" if item.is_for_administrators else ""
    what = f"{instance.connector.name}{name}{whose}"
    if item.type == Notice.Type.RECOVERED:
        return Line(what, "", "")
    return Line(what, item.detail, settings.PUBLIC_URL + _page(item, instance))


def _page(item: MailItem, instance: Instance) -> str:
    if item.is_for_administrators:
        return reverse("admin:tenants_instance_change", args=(instance.pk,))
    view = "wizard:reconnect" if item.type == Notice.Type.ACTION_REQUIRED else "wizard:instance"
    return reverse(view, args=(instance.tenant.key, instance.pk))


def _subject(urgent: Sequence[MailItem], instances: dict[UUID, Instance]) -> str:
    first = urgent[0]
    if len(urgent) > 1:
        return f"{len(urgent)} connections need attention"
    if first.instance_id is None:
        return "A webhook endpoint was disabled"
    name = " ".join(instances[first.instance_id].connector.name.split())
    is_expiring = first.type == Notice.Type.SECRET_EXPIRING
    return f"{name}: {'a secret runs out' if is_expiring else 'the connection needs attention'}"


def _brand(instances: Sequence[Instance]) -> str:
    """The name of the integration that reads these, if it is one and the same."""
    readers = Component.objects.filter(connector__in={instance.connector_id for instance in instances})
    names = set(Integration.objects.filter(components__in=readers).values_list("name", flat=True)[:2])
    return " ".join(names.pop().split()) if len(names) == 1 else ""


def _sender(brand: str) -> str:
    sender = str(settings.DEFAULT_FROM_EMAIL)
    return formataddr((brand, parseaddr(sender)[1])) if brand else sender


def _stop_url(address: str) -> str:
    return settings.PUBLIC_URL + reverse("stop-mail", args=(signing.dumps(address, salt=SALT),))


def _unsubscribing(stop_url: str) -> dict[str, str]:
    """RFC 8058: mail programs show a button."""
    if not stop_url:
        return {}
    return {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
