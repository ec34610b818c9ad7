"""How the admin looks: names, colours and the sidebar."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

# They lie below the integrations' own pages, but have entries of their own.
_IMPORT = reverse_lazy("admin:integrations_integration_import")
_DRAFT = reverse_lazy("admin:integrations_integration_draft")


def _entry(title: str, icon: str, model: str) -> dict[str, Any]:
    app, name = model.split(".")

    def may_see(request: Any) -> bool:
        user = request.user
        return bool(user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}"))

    def is_here(request: Any) -> bool:
        return str(request.path).startswith(str(link)) and request.path not in (str(_IMPORT), str(_DRAFT))

    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": may_see,
        "active": is_here,
    }


def _may_see_connectors(request: Any) -> bool:
    user = request.user
    return bool(user.has_perm("connectors.view_connector") or user.has_perm("connectors.change_connector"))


def _may_import(request: Any) -> bool:
    return bool(request.user.has_perms(["connectors.change_connector", "integrations.change_integration"]))


def _may_draft(request: Any) -> bool:
    return bool(request.user.has_perm("connectors.add_connector"))


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Latchkey",
    "SITE_HEADER": "Latchkey",
    "SITE_SUBHEADER": "Administration",
    "SITE_SYMBOL": "key",
    "SHOW_HISTORY": True,
    "STYLES": [lambda request: static("connectors/admin.css")],
    "COLORS": {
        # The wizard's blue, in steps from light to dark.
        "primary": {
            "50": "oklch(97.5% .012 269)",
            "100": "oklch(94.5% .026 269)",
            "200": "oklch(89.5% .05 269)",
            "300": "oklch(81.5% .09 269)",
            "400": "oklch(70% .135 269)",
            "500": "oklch(59% .17 269)",
            "600": "oklch(44.5% .18 269)",
            "700": "oklch(38% .155 269)",
            "800": "oklch(33.5% .125 269)",
            "900": "oklch(29.5% .095 269)",
            "950": "oklch(22% .065 269)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "What can be connected",
                "items": [
                    _entry("Connectors", "extension", "connectors.connector"),
                    _entry("Authentication methods", "lock_open", "connectors.authmethod"),
                    {
                        "title": "Catalogue",
                        "icon": "storefront",
                        "link": reverse_lazy("catalogue:browse"),
                        "permission": _may_see_connectors,
                        "active": lambda request: "/admin/catalogue/" in str(request.path),
                    },
                ],
            },
            {
                "title": "Who connected it",
                "items": [
                    _entry("Tenants", "domain", "tenants.tenant"),
                    _entry("Instances", "vpn_key", "tenants.instance"),
                ],
            },
            {
                "title": "Who reads it",
                "items": [
                    _entry("Integrations", "hub", "integrations.integration"),
                    _entry("Set-up sessions", "link", "integrations.session"),
                    _entry("API keys", "key", "integrations.apikey"),
                    _entry("Webhook endpoints", "webhook", "integrations.webhookendpoint"),
                    _entry("Webhook deliveries", "outbox", "integrations.webhookdelivery"),
                ],
            },
            {
                "title": "Documents",
                "items": [
                    {
                        "title": "Import YAML",
                        "icon": "upload_file",
                        "link": _IMPORT,
                        "permission": _may_import,
                    },
                    {
                        "title": "New connector from …",
                        "icon": "edit_note",
                        "link": _DRAFT,
                        "permission": _may_draft,
                    },
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [_entry("Users", "person", "auth.user"), _entry("Groups", "group", "auth.group")],
            },
        ],
    },
}
