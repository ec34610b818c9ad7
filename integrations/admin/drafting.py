"""New connector from …: a draft out of what the API's authors wrote, in the editor of the import page."""

from typing import Any

from django import forms
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from connectors.importers.draft import Draft, NotReadable
from connectors.importers.drafting import Kind, draft_of_address, draft_of_text
from connectors.importers.fetching import Fetch, fetcher
from connectors.importers.source_text import MAX_BYTES
from connectors.models import Connector
from integrations.admin.importing import PERMISSIONS, ImportForm

_KINDS = (
    ("", "Find out"),
    ("openapi", "An OpenAPI description"),
    ("issuer", "An authorization server's metadata"),
    ("curl", "A cURL command"),
)


class SourceForm(forms.Form):
    """One of three: an address, a text, a file."""

    address = forms.CharField(
        required=False,
        max_length=2000,
        label="Address",
        help_text="Of an OpenAPI file (JSON or YAML), of an issuer, or of its /.well-known/… metadata.",
        widget=UnfoldAdminTextInputWidget(
            {"placeholder": "https://api.example.com/openapi.json", "inputmode": "url", "spellcheck": "false"}
        ),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=MAX_BYTES,
        label="… or a text",
        help_text="A cURL command from the documentation, or a description. Secrets in a command are not kept.",
        widget=UnfoldAdminTextareaWidget(
            {"rows": 8, "spellcheck": "false", "autocomplete": "off", "placeholder": "curl https://…"}
        ),
    )
    file = forms.FileField(
        required=False,
        label="… or a file",
        widget=UnfoldAdminFileFieldWidget({"accept": ".json,.yaml,.yml,.txt"}),
    )
    kind = forms.ChoiceField(required=False, choices=_KINDS, label="What it is", widget=UnfoldAdminSelectWidget)

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        if address and "://" not in address:
            address = f"https://{address}"
        if address and not address.lower().startswith(("https://", "http://")):
            raise forms.ValidationError("The address begins with https://.")
        return address

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MAX_BYTES >> 20} MiB.")
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = [cleaned.get("address"), (cleaned.get("text") or "").strip(), cleaned.get("file")]
        if not self.errors and sum(map(bool, given)) != 1:
            raise forms.ValidationError("Type an address, paste a text or choose a file: one of the three.")
        return cleaned

    def draft(self, fetch: Fetch) -> Draft:
        """The draft of what was given. Raises `NotReadable`."""
        kind: Kind | None = self.cleaned_data["kind"] or None
        if self.cleaned_data["address"]:
            return draft_of_address(self.cleaned_data["address"], kind=kind, fetch=fetch)
        file = self.cleaned_data["file"]
        content = file.read() if file else self.cleaned_data["text"].replace("\r\n", "\n").encode()
        return draft_of_text(content, kind=kind, fetch=fetch)


def draft_page(request: HttpRequest, site: AdminSite, *, fetch: Fetch | None = None) -> HttpResponse:
    """Ask for a source; show what could be made of it. Nothing is stored here."""
    if not request.user.has_perm("connectors.add_connector"):
        raise PermissionDenied
    form = SourceForm(request.POST, request.FILES) if request.method == "POST" else SourceForm()
    context = {**site.each_context(request), "title": "New connector from …", "form": form}
    if form.is_valid():
        refused = ""
        try:
            draft = form.draft(fetch or fetcher())
        except NotReadable as error:
            refused = str(error)
        if not refused:
            return TemplateResponse(request, "admin/integrations/drafted.html", {**context, **_shown(request, draft)})
        form.add_error(None, refused)
    return TemplateResponse(request, "admin/integrations/draft.html", context)


def _shown(request: HttpRequest, draft: Draft) -> dict[str, Any]:
    editor = ImportForm(initial={"text": draft.yaml})
    key = draft.document["key"]
    return {
        "title": f"Draft of {draft.document['name']}",
        "draft": draft,
        "text": editor["text"],
        "taken": key if Connector.objects.filter(key=key).exists() else "",
        "may_import": request.user.has_perms(PERMISSIONS),
    }
