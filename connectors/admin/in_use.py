"""What stands in the way of deleting a connector or a method."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from connectors.models import AuthMethod, Connector


def counted(count: int, singular: str) -> str:
    return f"{count} {singular}" if count == 1 else f"{count} {singular}s"


def instances_link(owner: Connector | AuthMethod) -> SafeString:
    """How many instances use it, as a link to them."""
    count = owner.instances.count()
    if not count:
        return format_html("{}", "No instance uses it.")
    name = "auth_method" if isinstance(owner, AuthMethod) else "connector"
    address = f"{reverse('admin:tenants_instance_changelist')}?{name}__id__exact={owner.pk}"
    return format_html('<a href="{}" class="lk-link">{}</a>', address, counted(count, "instance"))


def obstacles(objects: Iterable[Model]) -> list[SafeString]:
    """Why these connectors or methods can't be deleted; empty if they can."""
    return [reason for one in objects if isinstance(one, Connector | AuthMethod) for reason in _reasons(one)]


def _reasons(owner: Connector | AuthMethod) -> Iterable[SafeString]:
    what = capfirst(owner._meta.verbose_name)
    if owner.instances.exists():
        yield format_html(
            "{} “{}” is used by {}. Remove them first; their tenants lose their tokens.",
            what,
            str(owner),
            instances_link(owner),
        )
    integrations = list(owner.components.values_list("integration__name", flat=True).distinct())
    if integrations:
        yield format_html(
            "{} “{}” is read by components of: {}. Change those integrations first.",
            what,
            str(owner),
            ", ".join(integrations),
        )


class InUseMixin:
    """For a ModelAdmin: says why an object in use can't be deleted, in place of a list of all that uses it."""

    def get_deleted_objects(self, objs: Any, request: Any) -> Any:
        objects = list(objs)
        reasons = obstacles(objects)
        if reasons:
            return [str(one) for one in objects], {}, set(), reasons
        deleted, counts, lacking, protected = super().get_deleted_objects(objects, request)  # type: ignore[misc]
        return deleted, counts, lacking, protected
