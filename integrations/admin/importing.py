"""Import YAML: the command's own code behind a page."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.sites import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from connectors.admin.impact import CONFIRM
from connectors.document_changes import Change
from connectors.impact import WouldBreak
from integrations.importing import STDIN, import_files

# An import writes and deletes all of these.
PERMISSIONS = [
    f"{app}.{verb}_{model}"
    for app, model in (
        ("connectors", "connector"),
        ("connectors", "authmethod"),
        ("connectors", "variable"),
        ("integrations", "integration"),
        ("integrations", "component"),
    )
    for verb in ("add", "change", "delete")
    if (model, verb) not in (("connector", "delete"), ("integration", "delete"))
]


class ImportForm(forms.Form):
    """A file, or its text."""

    file = forms.FileField(
        required=False, label="YAML file", widget=UnfoldAdminFileFieldWidget({"accept": ".yaml,.yml"})
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="… or its text",
        widget=UnfoldAdminTextareaWidget({"rows": 16, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("file")) == bool((cleaned.get("text") or "").strip()):
            raise forms.ValidationError("Choose a file or paste its text: one of the two.")
        return cleaned

    @property
    def content(self) -> bytes:
        uploaded = self.cleaned_data["file"]
        text: str = self.cleaned_data["text"]
        return uploaded.read() if uploaded else text.replace("\r\n", "\n").encode()


def import_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Store every document of what was sent, or none and say what is wrong with it."""
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    would_break: WouldBreak | None = None
    if request.method == "POST" and form.is_valid():
        content = form.content
        try:
            changes, found = import_files(
                [STDIN], stdin=BytesIO(content), confirmed=request.POST.get(CONFIRM, ""), actor=request.user
            )
        except WouldBreak as error:
            would_break = error
            # As text: a file that was chosen is not chosen any more when the page comes back.
            form = ImportForm(initial={"text": content.decode()})
        else:
            problems = [str(problem).removeprefix(f"{STDIN}:") for problem in found]
            if not problems:
                _tell(request, changes)
                return HttpResponseRedirect(reverse("admin:connectors_connector_changelist"))
    context = {
        **site.each_context(request),
        "title": "Import YAML",
        "form": form,
        "problems": problems,
        "would_break": would_break,
    }
    return TemplateResponse(request, "admin/integrations/import.html", context)


def _tell(request: HttpRequest, changes: Sequence[Change]) -> None:
    for change in changes:
        messages.success(request, str(change))
        if change.effects:
            messages.info(request, " ".join(change.effects))
