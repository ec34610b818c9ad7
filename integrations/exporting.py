"""Connectors and integrations → documents, in an order that stays the same."""

from collections.abc import Collection
from typing import Any

from connectors.documents import connector_document
from connectors.models import Connector
from connectors.oauth2.problems import did_you_mean
from integrations.documents import integration_document
from integrations.models import Integration


class UnknownKey(LookupError):
    """Keys that neither a connector nor an integration has; the message says which there are."""


def export_documents(keys: Collection[str] = ()) -> list[dict[str, Any]]:
    """The documents with these keys, or all: connectors, then integrations, each by key. Raises `UnknownKey`."""
    connectors = Connector.objects.with_definitions().order_by("key")
    integrations = Integration.objects.prefetch_related("components__connector", "components__auth_method").order_by(
        "key"
    )
    if keys:
        connectors, integrations = connectors.filter(key__in=keys), integrations.filter(key__in=keys)
    documents = [connector_document(row) for row in connectors]
    documents += [integration_document(row) for row in integrations]
    unknown = set(keys) - {document["key"] for document in documents}
    if unknown:
        raise UnknownKey(" ".join(_unknown(key) for key in sorted(unknown)))
    return documents


def _unknown(key: str) -> str:
    known = {*Connector.objects.values_list("key", flat=True), *Integration.objects.values_list("key", flat=True)}
    return f"There is no connector or integration “{key}”. {did_you_mean(key, known)}"
