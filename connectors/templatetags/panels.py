"""A change form's sections as panels of one row of tabs: the fieldsets and, behind the first, the inlines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib.admin.helpers import Fieldset, InlineAdminFormSet
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify

from connectors.markdown import render

register = template.Library()


@dataclass(frozen=True)
class Panel:
    """One tab and what stands below it. `errors` counts the fields and rows with problems."""

    title: str
    errors: int
    fieldset: Fieldset | None = None
    inline: InlineAdminFormSet | None = None
    count: int | None = None

    @property
    def id(self) -> str:
        return f"panel-{slugify(self.title)}"


@register.filter
def panels(form: Any, inlines: Iterable[InlineAdminFormSet]) -> list[Panel]:
    fieldsets = [
        Panel(capfirst(fieldset.name or "General"), _errors_in(form, fieldset), fieldset=fieldset) for fieldset in form
    ]
    return [*fieldsets[:1], *_of_inlines(inlines), *fieldsets[1:]]


def _errors_in(form: Any, fieldset: Any) -> int:
    names = {name for line in fieldset.fields for name in (line if isinstance(line, list | tuple) else (line,))}
    return len(names & set(form.form.errors))


def _of_inlines(inlines: Iterable[InlineAdminFormSet]) -> Iterator[Panel]:
    for inline in inlines:
        formset: Any = inline.formset
        errors = sum(1 for one in formset.errors if one) + len(formset.non_form_errors())
        # The model's own name is short enough for a tab.
        title = capfirst(inline.opts.model._meta.verbose_name_plural)
        yield Panel(title, errors, inline=inline, count=len(formset.initial_forms))


@register.filter
def instructions(source: str | None) -> SafeString:
    return render(source or "")
