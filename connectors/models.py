"""What can be connected, and how. No row here holds a secret of a tenant."""

from typing import Self
from uuid import uuid4

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.db.models import Q

from connectors.fields import EncryptedTextField
from connectors.json_text import JSONTextField
from connectors.oauth2.definition import KEY_PATTERN, VARIABLE_KEY_PATTERN

_KEY = RegexValidator(
    KEY_PATTERN, "Use letters, digits, hyphens and underscores; begin and end with a letter or a digit."
)
_VARIABLE_KEY = RegexValidator(
    VARIABLE_KEY_PATTERN, "Use letters, digits, hyphens and underscores; begin with a letter or an underscore."
)


class ConnectorQuerySet(models.QuerySet["Connector"]):
    def with_definitions(self) -> Self:
        """Everything that a connector's document is made of, in four queries."""
        return self.prefetch_related("variables", "auth_methods__variables")

    def ready(self) -> Self:
        """Connectors that a tenant's user can choose: those with an authentication method."""
        return self.filter(auth_methods__isnull=False).distinct()


class Connector(models.Model):
    """A third-party service that can be connected."""

    key = models.CharField(max_length=64, unique=True, validators=[_KEY])
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=100, blank=True)
    documentation_url = models.CharField("documentation URL", max_length=2000, blank=True)
    base_url = models.TextField("base URL", blank=True)
    # Which of its keys a document states, though they say no more than the default: so that export gives it back.
    stated = JSONTextField(default=list, blank=True, editable=False)
    logo = models.BinaryField(blank=True, default=b"", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectorQuerySet.as_manager()

    class Meta:
        ordering = ("name", "key")

    def __str__(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        """One or two letters to show where there is no logo."""
        words = self.name.split()
        return "".join(word[0] for word in words[:2]).upper() if len(words) > 1 else self.name[:2].capitalize()


class CatalogueOrigin(models.Model):
    """Which entry of the catalogue a connector came from, and what that said when it was last looked through."""

    connector = models.OneToOneField(
        Connector, on_delete=models.CASCADE, primary_key=True, related_name="catalogue_origin"
    )
    entry = models.CharField(max_length=64)
    # The entry's version: a digest of `document`, which is the entry as it was then, under the connector's own key.
    digest = models.CharField(max_length=64)
    document = JSONTextField()
    looked_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.entry} {self.digest[:12]}"


class AuthMethodQuerySet(models.QuerySet["AuthMethod"]):
    def touch(self) -> None:
        """Say that something which these methods are made of has changed."""
        for pk in self.values_list("pk", flat=True):
            self.model.objects.filter(pk=pk).update(revision=uuid4())


class AuthMethod(models.Model):
    """One way to authenticate to a connector."""

    class Type(models.TextChoices):
        OAUTH2_CLIENT_CREDENTIALS = "oauth2_client_credentials", "OAuth 2.0 client credentials"

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="auth_methods")
    key = models.CharField(max_length=64, validators=[_KEY])
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=64, choices=Type, default=Type.OAUTH2_CLIENT_CREDENTIALS.value)
    instructions = models.TextField(blank=True, help_text="Markdown, shown beside the wizard's form.")
    # The sections as their document states them; what they leave out, the type supplies.
    steps = JSONTextField(default=None, null=True, blank=True)
    token_request = JSONTextField(default=dict, blank=True)
    token_response = JSONTextField(default=None, null=True, blank=True)
    api_request = JSONTextField(default=None, null=True, blank=True)
    refresh = JSONTextField(default=None, null=True, blank=True)
    test_request = JSONTextField(default=None, null=True, blank=True)
    stated = JSONTextField(default=list, blank=True, editable=False)
    position = models.PositiveIntegerField(default=0)
    # Drawn anew with every change of anything that the method is made of: what processes remember goes by it.
    revision = models.UUIDField(default=uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AuthMethodQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = "authentication method"
        constraints = (
            models.UniqueConstraint(
                fields=("connector", "key"),
                name="auth_method_key_unique_in_connector",
                violation_error_message="The connector has an authentication method with this key already.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class VariableQuerySet(models.QuerySet["Variable"]):
    def of_method(self, method: AuthMethod) -> Self:
        """The method's own variables and its connector's."""
        return self.filter(Q(auth_method=method) | Q(connector=method.connector_id))

    def with_operator_value(self) -> Self:
        return self.exclude(operator_value=None)


class Variable(models.Model):
    """A named value that a connector's methods, or one method, need."""

    class Display(models.TextChoices):
        EDITABLE = "editable", "Editable"
        ADVANCED = "advanced", "Advanced (folded away)"
        READ_ONLY = "read_only", "Read-only"
        HIDDEN = "hidden", "Hidden"

    class Format(models.TextChoices):
        TEXT = "text", "Text"
        MULTILINE = "multiline", "Several lines"
        URL = "url", "URL"
        HOSTNAME = "hostname", "Host name"

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="variables", null=True, blank=True)
    auth_method = models.ForeignKey(
        AuthMethod, on_delete=models.CASCADE, related_name="variables", null=True, blank=True
    )
    key = models.CharField(max_length=64, validators=[_VARIABLE_KEY])
    label = models.CharField(max_length=200, blank=True)
    help_text = models.TextField(blank=True)
    example = models.TextField(blank=True)
    default = models.TextField(blank=True)
    default_from_env = models.CharField(
        "default from environment",
        max_length=200,
        blank=True,
        help_text="The variable that holds the operator's value.",
    )
    required = models.BooleanField(default=True)
    secret = models.BooleanField(default=False, help_text="Write-only: never shown again once typed.")
    display = models.CharField(max_length=16, choices=Display, default=Display.EDITABLE.value)
    pattern = models.TextField(blank=True, help_text="A regular expression that the whole value must match.")
    choices = JSONTextField(default=list, blank=True)
    format = models.CharField(max_length=16, choices=Format, default=Format.TEXT.value)
    operator_value = EncryptedTextField(
        null=True,
        blank=True,
        validators=[MaxLengthValidator(65_536)],
        dated_by="operator_value_set_at",
        help_text="For a read-only or hidden variable: used instead of the default. Encrypted, never exported.",
    )
    operator_value_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    position = models.PositiveIntegerField(default=0)
    # Which of its keys a document states. None: it names the variable not at all, which only a supplied one can be.
    stated = JSONTextField(default=None, null=True, blank=True, editable=False)

    objects = VariableQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(connector__isnull=False, auth_method__isnull=True)
                | Q(connector__isnull=True, auth_method__isnull=False),
                name="variable_belongs_to_one",
                violation_error_message="A variable belongs to a connector or to an authentication method.",
            ),
            models.UniqueConstraint(
                fields=("connector", "key"),
                condition=Q(connector__isnull=False),
                name="variable_key_unique_in_connector",
                violation_error_message="The connector has a variable with this key already.",
            ),
            models.UniqueConstraint(
                fields=("auth_method", "key"),
                condition=Q(auth_method__isnull=False),
                name="variable_key_unique_in_auth_method",
                violation_error_message="The authentication method has a variable with this key already.",
            ),
        )

    def __str__(self) -> str:
        return self.key
