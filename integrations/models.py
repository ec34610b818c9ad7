"""Pieces of the host's own code that read tokens."""

from django.core.validators import RegexValidator
from django.db import models

from connectors.json_text import JSONTextField
from connectors.models import AuthMethod, Connector
from connectors.oauth2.definition import KEY_PATTERN

_KEY = RegexValidator(
    KEY_PATTERN, "Use letters, digits, hyphens and underscores; begin and end with a letter or a digit."
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


class Component(models.Model):
    """What an integration reads tokens of: a connector, and perhaps one of its methods."""

    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="components")
    name = models.CharField(max_length=64, validators=[_KEY])
    connector = models.ForeignKey(Connector, on_delete=models.PROTECT, related_name="components")
    auth_method = models.ForeignKey(
        AuthMethod, on_delete=models.PROTECT, related_name="components", null=True, blank=True
    )
    position = models.PositiveIntegerField(default=0)

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
