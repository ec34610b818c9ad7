"""Tenants, and who may act for them."""

from typing import Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models

_KEY = RegexValidator(
    r"^[A-Za-z0-9](?:[A-Za-z0-9._~-]*[A-Za-z0-9])?$",
    "Use letters, digits, dots, hyphens, underscores and tildes; begin and end with a letter or a digit.",
)


class TenantQuerySet(models.QuerySet["Tenant"]):
    def of_user(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The tenants that a user may act for."""
        return self.filter(memberships__user_id=user.pk) if user.pk else self.none()


class Tenant(models.Model):
    """A customer of the platform, known to the host application by its own key."""

    key = models.CharField(max_length=200, unique=True, validators=[_KEY])
    name = models.CharField(max_length=200, blank=True)
    # Addresses that are told of trouble besides the members'.
    contact_emails = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ("name", "key")

    def __str__(self) -> str:
        return self.name or self.key


class Membership(models.Model):
    """One user who may act for one tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    is_notified = models.BooleanField(
        "mail", default=True, help_text="Mail when a connection needs attention or a secret runs out."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("tenant", "user")
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "user"),
                name="membership_unique",
                violation_error_message="This user is a member of the tenant already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} for {self.tenant}"
