"""What an entry will ask of a tenant's user, what it will send, and what is left to the operator."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone
from django.utils.safestring import SafeString

from connectors.definitions import Definition
from connectors.markdown import render
from connectors.oauth2 import definition
from connectors.oauth2.definition import Variable
from connectors.oauth2.method import Method
from connectors.sketch import sketch
from tenants.wizard.forms import MethodForm, form_of


@dataclass(frozen=True)
class Preview:
    """An authentication method of an entry. `form` is the very form of the wizard, with nothing filled in."""

    method: definition.AuthMethod
    form: MethodForm
    instructions: SafeString
    request: str
    of_operator: list[Variable]

    @property
    def scheme(self) -> str:
        return self.method.token_request.client_authentication


def previews(document: definition.Connector) -> Iterator[Preview]:
    """A preview of each method of an entry."""
    for one in document.auth_methods:
        method = Method(document.model_copy(update={"auth_methods": [one]}), one)
        form = form_of(Definition(method, {}), {}, {}, errors={}, now=timezone.now())
        yield Preview(one, form, render(one.instructions), sketch(method), _of_operator(method))


def _of_operator(method: Method) -> list[Variable]:
    """The variables that no tenant's user fills in and that have no default."""
    return [one for one in method.asked if not one.is_typed_by_tenant and not one.default]
