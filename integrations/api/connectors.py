"""What can be connected, and what a tenant is asked for."""

from typing import Literal

from django.db.models import Q
from ninja import Router, Schema
from pydantic import Field

from connectors.documents import connector_document
from connectors.models import Connector
from connectors.oauth2 import definition
from connectors.oauth2.method import Method
from integrations.api.authentication import ApiRequest, call
from integrations.api.errors import NotFound
from integrations.api.pages import Cursor, Limit, Order, page, refuse_unknown
from integrations.models import ApiKey, Component

router = Router(tags=["Connectors"])

BY_KEY = Order("connectors", ("key",), lambda row: [row.key], lambda place: Q(key__gt=place[0]))


class ChoiceOut(Schema):
    value: str
    label: str


class VariableOut(Schema):
    """A value that connecting needs."""

    key: str
    label: str
    help_text: str
    example: str
    default: str = Field(description="May be a template over other variables.")
    required: bool
    secret: bool = Field(description="Never shown again once it is set.")
    display: Literal["editable", "advanced", "read_only", "hidden"] = Field(
        description="The tenant's user fills in `editable` and `advanced` ones. A backend may set any of them."
    )
    pattern: str = Field(description="A regular expression that the whole value must match; empty: any.")
    choices: list[ChoiceOut] = Field(description="If there are any, the value is one of these.")
    format: Literal["text", "multiline", "url", "hostname"]


class AuthMethodOut(Schema):
    """One way to authenticate."""

    key: str
    name: str
    type: str
    instructions: str = Field(description="Markdown.")
    variables: list[VariableOut]


class ConnectorOut(Schema):
    """A service that can be connected."""

    key: str
    name: str
    description: str
    category: str
    documentation_url: str
    variables: list[VariableOut] = Field(description="Asked for whichever method is chosen.")
    auth_methods: list[AuthMethodOut]


class ConnectorPage(Schema):
    items: list[ConnectorOut]
    next_cursor: str | None


@router.get(
    "/connectors",
    response=ConnectorPage,
    operation_id="list_connectors",
    summary="List connectors",
    **call("instances:read"),
)
def list_connectors(request: ApiRequest, cursor: Cursor = None, limit: Limit = 50) -> ConnectorPage:
    """The connectors that are set up and that the key reaches, in the order of their keys."""
    refuse_unknown(request, "cursor", "limit")
    found, next_cursor = page(request.auth.connectors().with_definitions(), BY_KEY, cursor, limit)
    components = _components(request.auth)
    return ConnectorPage(items=[_connector(row, components) for row in found], next_cursor=next_cursor)


@router.get(
    "/connectors/{key}",
    response=ConnectorOut,
    operation_id="get_connector",
    summary="Show a connector",
    **call("instances:read", "not_found"),
)
def get_connector(request: ApiRequest, key: str) -> ConnectorOut:
    """The connector, its authentication methods, and what each asks for."""
    refuse_unknown(request)
    row = request.auth.connectors().with_definitions().filter(key=key).first()
    if row is None:
        raise NotFound(
            f"There is no connector “{key}”.", "It never was, it was removed, or this API key does not reach it."
        )
    return _connector(row, _components(request.auth))


def _components(key: ApiKey) -> list[Component] | None:
    """What the key is bound to; None if to nothing."""
    if key.integration_id is None:
        return None
    return list(Component.objects.filter(integration=key.integration_id).select_related("auth_method"))


def _connector(row: Connector, components: list[Component] | None) -> ConnectorOut:
    document = definition.Connector.model_validate(connector_document(row))
    reached = None if components is None else [one.auth_method for one in components if one.connector_id == row.pk]
    methods = [
        one
        for one in document.auth_methods
        if reached is None or any(method is None or method.key == one.key for method in reached)
    ]
    return ConnectorOut(
        key=document.key,
        name=document.name,
        description=document.description,
        category=document.category,
        documentation_url=document.documentation_url,
        variables=[_variable(one) for one in document.variables],
        auth_methods=[_method(Method(document, one)) for one in methods],
    )


def _method(method: Method) -> AuthMethodOut:
    said = method.definition
    own = [one for one in method.asked if one not in method.connector.variables]
    return AuthMethodOut(
        key=said.key,
        name=said.name,
        type=said.type,
        instructions=said.instructions,
        variables=[_variable(one) for one in own],
    )


def _variable(variable: definition.Variable) -> VariableOut:
    return VariableOut(
        key=variable.key,
        label=variable.title,
        help_text=variable.help_text,
        example=variable.example,
        default=variable.default,
        required=variable.required,
        secret=variable.secret,
        display=variable.display,
        pattern=variable.pattern,
        choices=[ChoiceOut(value=one.value, label=one.label) for one in variable.options],
        format=variable.format,
    )
