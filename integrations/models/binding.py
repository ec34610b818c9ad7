"""Which of a tenant's instances a component reads."""

from django.db import models

from integrations.models.integration import Component
from tenants.models import Instance, Tenant


class Binding(models.Model):
    """A tenant's instance that was connected for a component: that one is read, whatever else would fit."""

    component = models.ForeignKey(Component, on_delete=models.CASCADE, related_name="bindings")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="bindings")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("component", "tenant"),
                name="binding_unique",
                violation_error_message="The component reads another instance of this tenant already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.component} of {self.tenant}"
