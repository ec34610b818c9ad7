"""How an integration's set-up pages look, and under which domain they are served."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from integrations.models.integration import Integration

_COLOUR = RegexValidator(r"^#[0-9a-fA-F]{6}\Z", "Write a colour as # and six hexadecimal digits, such as #1a6091.")


class Brand(models.Model):
    """The look of one integration's set-up pages. What is empty is as plain as it can be, never Latchkey's own."""

    integration = models.OneToOneField(Integration, on_delete=models.CASCADE, related_name="brand")
    name = models.CharField(max_length=100, blank=True, help_text="Without one, the integration's name.")
    # PNG, JPEG, WebP or GIF.
    logo = models.BinaryField(default=b"", blank=True)
    accent = models.CharField(
        "accent colour", max_length=7, blank=True, validators=[_COLOUR], help_text="Of buttons and links: #1a6091."
    )
    header = models.CharField(
        "header colour", max_length=7, blank=True, validators=[_COLOUR], help_text="Of the bar at the top: #102a43."
    )
    support_url = models.CharField(
        "support link", max_length=500, blank=True, help_text="Shown as “Get help”: an https or mailto address."
    )
    custom_domain = models.CharField(
        max_length=253,
        blank=True,
        help_text="Set-up links lead there instead of to Latchkey's own address: connect.example.com. It must be one "
        "of CUSTOM_DOMAINS in the settings.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("custom_domain",),
                condition=~Q(custom_domain=""),
                name="brand_domain_unique",
                violation_error_message="Another integration has this domain.",
            ),
        )

    def __str__(self) -> str:
        return self.name or self.integration.name
