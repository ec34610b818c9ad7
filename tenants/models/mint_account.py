"""What a client has asked a provider for lately, for providers that allow only so many token requests."""

from typing import Any

from django.db import models


class MintAccount(models.Model):
    """The recent token requests of one client at one provider, whichever instances and workers made them."""

    # A keyed hash of the connector and the client ID: the row says nothing about either.
    client = models.CharField(max_length=64, primary_key=True)
    # [[epoch seconds, count], …], oldest first; see connectors.oauth2.budgets.
    ledger: "models.JSONField[Any, Any]" = models.JSONField(default=list)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("updated_at",), name="mint_account_age"),)

    def __str__(self) -> str:
        return f"token requests of {self.client[:8]}"
