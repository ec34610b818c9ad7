"""What saving does to instances, on the page of what is saved: told, and asked about first where it breaks some."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse

from connectors.impact import Impact, State, WouldBreak, settle, state_of
from connectors.models import AuthMethod, Connector

# The box that confirms; its value stands for the instances that were shown.
CONFIRM = "break_instances"


class ImpactMixin:
    """For the ModelAdmin of a connector or a method. First among the bases: it looks when all rows are written."""

    change_form_before_template = "admin/connectors/impact.html"

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """As Django's, all of which happens in one transaction: what would break instances leaves it unsaved."""
        if request.method != "POST" or object_id is None:
            return self._page(request, object_id, form_url, extra_context)
        vars(request)["_definition_before"] = self._state(request, object_id)
        try:
            return self._page(request, object_id, form_url, extra_context)
        except WouldBreak as error:
            refused = error
        # Once more, and now the form is wrong: so the page comes back with all that was typed.
        vars(request)["_would_break"] = refused
        for file in request.FILES.values():
            file.seek(0)  # type: ignore[union-attr]  # (one file a field)
        return self._page(request, object_id, form_url, {**(extra_context or {}), "would_break": refused})

    def _page(self, *arguments: Any) -> HttpResponse:
        page: HttpResponse = super().changeform_view(*arguments)  # type: ignore[misc]
        return page

    def _state(self, request: HttpRequest, object_id: str) -> State | None:
        found: Connector | AuthMethod | None = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if found is None:
            return None
        return state_of(found.key if isinstance(found, Connector) else found.connector.key)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        refused = vars(request).get("_would_break")
        return refusing(form, refused) if refused else form

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)  # type: ignore[misc]
        before = vars(request).get("_definition_before")
        if before is not None:
            impacts = settle([before], confirmed=request.POST.get(CONFIRM, ""), actor=request.user)
            tell(request, impacts)


def refusing(form: type[forms.ModelForm[Any]], refused: WouldBreak) -> type[forms.ModelForm[Any]]:
    """The form, which finds nothing right."""

    class Refusing(form):  # type: ignore[valid-type,misc]
        def clean(self) -> Any:
            self.add_error(None, f"{refused} Nothing was saved yet: see above what would happen, and confirm it.")
            return super().clean()

    return Refusing


def tell(request: HttpRequest, impacts: list[Impact]) -> None:
    """Messages on what a change did to instances: nothing if it did nothing."""
    for impact in impacts:
        if impact.notes:
            show = messages.warning if impact.broken else messages.info
            show(request, " ".join(impact.notes))
        for one in impact.listed:
            messages.warning(request, f"Action required: {one}")
        if impact.unlisted:
            messages.warning(request, f"Action required: {impact.unlisted} more instances.")
