"""What receivers are told: small, without secrets and tokens, in the words of the HTTP API. See docs/webhooks.md."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.models import Component, WebhookEndpoint
from tenants.models import Notice

TEST = "webhook.test"


def written(type: str, at: datetime, data: Mapping[str, Any]) -> str:
    """The body of a delivery."""
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": type, "timestamp": stamp, "data": data}, ensure_ascii=False, separators=(",", ":"))


class Readers:
    """Which integrations read what: (primary key, key) by connector and authentication method."""

    def __init__(self, components: Iterable[Component]) -> None:
        self._by_connector: dict[int, list[tuple[int | None, int, str]]] = {}
        for component in components:
            reader = (component.auth_method_id, component.integration_id, component.integration.key)
            self._by_connector.setdefault(component.connector_id, []).append(reader)

    def of(self, notice: Notice) -> dict[int, str]:
        """The integrations that read what a notice about an instance tells of: keys by primary key."""
        fitting = self._by_connector.get(notice.connector_id or 0, [])
        return {pk: key for method, pk, key in fitting if method in (None, notice.auth_method_id)}


def data_of(notice: Notice, integrations: Mapping[int, str], endpoint: WebhookEndpoint) -> dict[str, Any]:
    """What this endpoint is told of a notice: of other integrations than its own it doesn't learn."""
    if notice.instance_id is None:
        return {"tenant": notice.tenant.key, **notice.more}
    own = endpoint.integration_id
    seen = [key for pk, key in integrations.items() if own in (None, pk)]
    return {
        "instance": str(notice.instance_id),
        "tenant": notice.tenant.key,
        "connector": notice.connector.key if notice.connector else None,
        "auth_method": notice.auth_method.key if notice.auth_method else None,
        "name": notice.name,
        "integrations": sorted(seen),
        "status": notice.status,
        "status_before": notice.status_before,
        "error": {"code": notice.code, "detail": notice.detail} if notice.code else None,
        **notice.more,
    }


def integrations_of(notices: Sequence[Notice], readers: Readers, by_key: Mapping[str, int]) -> list[dict[int, str]]:
    """For each notice the integrations that it concerns."""
    return [
        readers.of(notice)
        if notice.instance_id is not None
        else {by_key[key]: key for key in [notice.more.get("integration", "")] if key in by_key}
        for notice in notices
    ]
