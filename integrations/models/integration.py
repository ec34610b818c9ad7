"""Pieces of the host's own code that read tokens."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from connectors.json_text import JSONTextField
from connectors.models import AuthMethod, Connector
from connectors.oauth2.definition import KEY_PATTERN
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.problems import did_you_mean
from integrations.models.reading import ReadStatement, chunks
from tenants import database_time
from tenants.client import ApiSession, Timeout
from tenants.credentials import Credentials
from tenants.errors import InstanceNotFound
from tenants.models import Instance
from tenants.models.instance import InstanceQuerySet
from tenants.request_auth import TokenAuth
from tenants.stored import Stored

_AT_ONCE = 500  # tenants in one query
_KEY = RegexValidator(
    KEY_PATTERN, "Use letters, digits, hyphens and underscores; begin and end with a letter or a digit."
)


class ComponentQuerySet(models.QuerySet["Component"]):
    def reads(self) -> Q:
        """The instances that these components read, any tenant's, as a condition."""
        of_connector = Q(connector=OuterRef("connector"), auth_method=None)
        return Q(Exists(self.order_by().filter(of_connector | Q(auth_method=OuterRef("auth_method")))))

    def prefers(self) -> Q:
        """The instances that were connected for these components and, for tenants without such a one, all others."""
        of_tenant = self._bound(bindings__tenant=OuterRef("tenant"))
        return Q(Exists(self._bound(bindings__instance=OuterRef("pk")))) | ~Q(Exists(of_tenant))

    def _bound(self, **binding: OuterRef) -> Self:
        """Those with such a binding, to an instance that (still) fits."""
        # One filter(): each further one would look at bindings of its own.
        fits = Q(auth_method=None) | Q(auth_method=F("bindings__instance__auth_method"))
        return self.order_by().filter(fits, connector=F("bindings__instance__connector"), **binding)

    def instance(
        self, integration: str, tenant: str, component: str, *, among: InstanceQuerySet | None = None
    ) -> Instance:
        """A tenant's instance behind a component of an integration, all by key, in one query.

        `among` are the instances that the asker may see. Raises `InstanceNotFound` or `SeveralInstances`.
        """
        components = self.filter(integration__key=integration)
        named = components.filter(name=component)
        seen = Instance.objects.all() if among is None else among
        fitting = seen.for_reading().filter(named.reads(), named.prefers(), tenant__key=tenant)
        fitting = fitting.order_by("name")
        try:
            return fitting.the_only_one(f"The tenant {tenant}", f"for “{component}” of {integration}")
        except InstanceNotFound:
            names = list(components.values_list("name", flat=True))
            if component in names:
                raise
        raise InstanceNotFound(
            f"The integration {integration} has no component “{component}”.", remedy=did_you_mean(str(component), names)
        )


class Integration(models.Model):
    """A piece of the host's own code that reads tokens."""

    key = models.CharField(max_length=64, unique=True, validators=[_KEY])
    name = models.CharField(max_length=200)
    allowed_redirects = JSONTextField(default=list, blank=True)
    allowed_origins = JSONTextField(default=list, blank=True)
    # Which of its keys a document states though silence would mean the same.
    stated = JSONTextField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name", "key")

    def __str__(self) -> str:
        return self.name

    def credentials(self, tenant: str, component: str, min_ttl: float | None = None) -> Credentials:
        """A tenant's token for one of the integration's components, the tenant by its key.

        Raises as `Instance.credentials` does, and `InstanceNotFound` or `SeveralInstances`.
        """
        stored = stored_for(self.key, component, [tenant]).get(tenant)
        served = stored.credentials(database_time.now(), min_ttl) if stored else None
        return served or self.instance(tenant, component).credentials(min_ttl)

    def credentials_for(
        self, tenants: Iterable[str], component: str, min_ttl: float | None = None
    ) -> dict[str, Credentials | LatchkeyError]:
        """Many tenants' tokens for one component, by tenant key: what is stored in one query for each 500 tenants.

        A tenant whose token can't be had has in its place the error that `credentials` would raise. What has to be
        renewed first is renewed one after another.
        """
        found: dict[str, Credentials | LatchkeyError] = {}
        for keys in chunks(tenants, _AT_ONCE):
            stored, now = stored_for(self.key, component, keys), database_time.now()
            for key in keys:
                try:
                    served = stored[key].credentials(now, min_ttl) if key in stored else None
                    found[key] = served or self.instance(key, component).credentials(min_ttl)
                except LatchkeyError as error:
                    found[key] = error
        return found

    def client(
        self, tenant: str, component: str, *, timeout: Timeout = None, retries: int = 2, max_wait: float = 30.0
    ) -> ApiSession:
        """An authorized `requests.Session` for one of the integration's components, see `Instance.client`."""
        return self.instance(tenant, component).client(timeout=timeout, retries=retries, max_wait=max_wait)

    def auth(self, tenant: str, component: str, *, presents_certificate: bool = False) -> TokenAuth:
        """An `auth=` for one of the integration's components, for code with a session of its own."""
        return self.instance(tenant, component).auth(presents_certificate=presents_certificate)

    def instance(self, tenant: str, component: str) -> Instance:
        """The tenant's instance behind a component. Raises `InstanceNotFound` or `SeveralInstances`."""
        return Component.objects.filter(integration=self).instance(self.key, tenant, component)


@cache
def _statement() -> ReadStatement:
    return ReadStatement(Component, Component._meta.get_field("bindings").related_model, Integration)


def stored_for(integration: str, component: str, tenants: Sequence[str]) -> dict[str, Stored]:
    """What is stored behind a component, by tenant key, all of them by key; see `ReadStatement`."""
    return _statement().of(integration, component, tenants)


class Component(models.Model):
    """What an integration reads tokens of: a connector, and perhaps one of its methods."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=64, validators=[_KEY])
    connector = models.ForeignKey(Connector, on_delete=models.PROTECT, related_name="components")
    auth_method = models.ForeignKey(
        AuthMethod, on_delete=models.PROTECT, related_name="components", null=True, blank=True
    )
    position = models.PositiveIntegerField(default=0)

    objects = ComponentQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("integration", "name"),
                name="component_name_unique",
                violation_error_message="The integration has a component with this name already.",
            ),
        )

    def __str__(self) -> str:
        return self.name
