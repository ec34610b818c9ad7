"""A blank row for a variable where no script can add one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

# What the button sends as `_continue`, and what the address then asks for.
BLANK_ROW = "blank-row"


def blank_rows(request: HttpRequest) -> int:
    """How many blank rows the page is to have."""
    return 1 if BLANK_ROW in request.GET else 0


class SpareRowMixin:
    """For a ModelAdmin: “Save and add a variable” comes back to the page with one row more."""

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        response: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]
        if request.POST.get("_continue") == BLANK_ROW and isinstance(response, HttpResponseRedirect):
            return HttpResponseRedirect(f"{request.path}?{BLANK_ROW}#variables-group")
        return response
