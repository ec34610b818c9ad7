"""An older version of an entry: what a connector would have come from before the catalogue changed."""

from typing import Any

from connectors.adopting import digest_of
from connectors.documents import connector_document, store_connector
from connectors.models import CatalogueOrigin, Connector
from connectors.oauth2 import definition


def document(key: str) -> dict[str, Any]:
    return connector_document(Connector.objects.with_definitions().get(key=key))


def change_here(key: str, **places: Any) -> None:
    """Change a connector as an administrator would."""
    store_connector(definition.Connector.model_validate({**document(key), **places}))


def as_if_older(key: str, **places: Any) -> None:
    """Let a connector have come from an older version of its entry, which said this."""
    change_here(key, **places)
    older = document(key)
    CatalogueOrigin.objects.filter(connector__key=key).update(document=older, digest=digest_of(older))
