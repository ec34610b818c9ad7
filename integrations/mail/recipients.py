"""Who is told of trouble: a tenant's members and contacts, and the administrators."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import User

from tenants.models import Membership, Tenant


def administrators() -> set[str]:
    """Addresses in lower case."""
    given = settings.ALERT_EMAILS or User.objects.filter(is_superuser=True, is_active=True).values_list(
        "email", flat=True
    )
    return {address.lower() for address in given if address}


def of_tenants(tenants: Iterable[int]) -> dict[int, set[str]]:
    """Addresses in lower case, by the tenant's primary key; without members who want no mail."""
    pks = set(tenants)
    found: dict[int, set[str]] = {pk: set() for pk in pks}
    for pk, contacts in Tenant.objects.filter(pk__in=pks).values_list("pk", "contact_emails"):
        found[pk] |= {address.lower() for address in contacts}
    wanting = Membership.objects.filter(tenant__in=pks, is_notified=True, user__is_active=True).exclude(user__email="")
    for pk, address in wanting.order_by().values_list("tenant", "user__email"):
        found[pk].add(address.lower())
    return found


def stop(address: str) -> None:
    """Send this address no more mail about tenants."""
    Membership.objects.filter(user__email__iexact=address).update(is_notified=False)
    for tenant in Tenant.objects.exclude(contact_emails=[]).iterator():
        staying = [contact for contact in tenant.contact_emails if contact.lower() != address.lower()]
        if staying != tenant.contact_emails:
            tenant.contact_emails = staying
            tenant.save(update_fields=["contact_emails"])
