"""Set-up sessions: create one, look at it, commit it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from django.http import JsonResponse
from ninja import Path, Router, Schema, Status
from pydantic import ConfigDict, Field, WithJsonSchema

from integrations import idempotency, links, sessions
from integrations.api.authentication import ApiRequest, call
from integrations.api.errors import NotFound
from integrations.api.instances import IdempotencyKey, Trouble
from integrations.api.pages import refuse_unknown
from integrations.api.problems import problem
from integrations.models import Integration, Session
from tenants import database_time

router = Router(tags=["Sessions"])

SessionStatus = Literal["open", "complete", "failed", "expired"]
TENANT_KEY = r"^[A-Za-z0-9]([A-Za-z0-9._~-]*[A-Za-z0-9])?$"
Line = r"^[^\x00-\x1f\x7f]*$"
# What a value may be is the variable's affair; what JSON can say but no database and no request can hold is not.
Text = Annotated[str, Field(max_length=65_536)]
SessionId = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})], Path(description="The session's id.")
]
InstanceRef = Annotated[UUID, Field(strict=False)]


class SessionIn(Schema):
    """What is to be set up."""

    model_config = ConfigDict(extra="forbid", strict=True)

    tenant: str = Field(
        description="The tenant's key. The tenant is made if it is new.",
        min_length=1,
        max_length=200,
        pattern=TENANT_KEY,
    )
    tenant_name: str = Field("", description="What a new tenant is called.", max_length=200, pattern=Line)
    redirect_url: str = Field(
        "",
        description="Where the browser goes afterwards, `session` and `status` added to its query. One of the "
        "integration's `allowed_redirects`, or below one. Without it a closing page is shown.",
        max_length=2000,
    )
    input: dict[str, dict[str, Text]] = Field(
        {},
        description="Values by component and variable key, hidden and read-only ones too. `$auth_method` chooses one "
        "of several authentication methods, `$name` names the instance.",
    )
    components: list[str] | None = Field(
        None, description="Which components; all of them by default, or those that `instances` and `input` name."
    )
    instances: list[InstanceRef] | dict[str, InstanceRef] = Field(
        [], description="Reconnect these: ids, or ids by component. They keep their ids."
    )
    expires_in: int = Field(
        sessions.USUAL, description="Seconds until the link is void.", ge=sessions.SHORTEST, le=sessions.LONGEST
    )
    origin: str = Field(
        "",
        description="The page that shows the wizard in a frame or pop-up, and is told by `postMessage` how it goes: "
        "one of the integration's `allowed_origins`.",
        max_length=300,
    )
    auto_close: bool = Field(False, description="Close the frame or pop-up once there is nothing more to do.")


class SessionCreated(Schema):
    id: UUID
    status: SessionStatus
    target_url: str = Field(description="Send the tenant's user there. It is shown this once.")
    expires_at: datetime


class ComponentOut(Schema):
    status: Literal["open", "complete", "failed"]
    instance: UUID | None = Field(None, description="The instance's id: once complete, or the one to reconnect.")
    error: Trouble | None = Field(None, description="Why the last attempt failed.")


class SessionOut(Schema):
    """A session, and how far each component is."""

    id: UUID
    status: SessionStatus = Field(description="A failed session can be tried again until it expires.")
    components: dict[str, ComponentOut]


@router.post(
    "/integrations/{key}/sessions",
    response={201: SessionCreated},
    operation_id="create_session",
    summary="Create a set-up session",
    **call("sessions:write", "not_found", "idempotency_key_in_use", "idempotency_key_reused"),
)
def create_session(
    request: ApiRequest, key: str, wanted: SessionIn, idempotency_key: IdempotencyKey = None
) -> Status[SessionCreated]:
    """A link that signs a browser in for this tenant and these components, and nothing else."""
    refuse_unknown(request)
    integration = _integration(request, key)
    if not request.auth.reaches_tenant(wanted.tenant):
        raise NotFound(f"There is no tenant “{wanted.tenant}”.", "It never was, or this API key does not reach it.")

    def create() -> dict[str, Any]:
        session, text = sessions.create(
            integration,
            tenant=wanted.tenant,
            tenant_name=wanted.tenant_name,
            redirect_url=wanted.redirect_url,
            given=wanted.input,
            components=wanted.components,
            instances=cast(Sequence[UUID], wanted.instances),
            expires_in=wanted.expires_in,
            origin=wanted.origin,
            auto_close=wanted.auto_close,
            among=request.auth.instances(),
        )
        answer = SessionCreated(
            id=session.pk, status="open", target_url=links.url_of(text, integration), expires_at=session.expires_at
        )
        return answer.model_dump(mode="json")

    said = f"{request.method} {request.path}\n{wanted.model_dump_json()}"
    answer = idempotency.once(request.auth, idempotency_key, said, create)
    return Status(201, SessionCreated.model_validate(answer))


@router.get(
    "/sessions/{session_id}",
    response=SessionOut,
    exclude_none=True,
    operation_id="get_session",
    summary="Show a set-up session",
    **call("sessions:write", "not_found"),
)
def get_session(request: ApiRequest, session_id: SessionId) -> SessionOut:
    """How far the session is, and how its last attempt ended."""
    refuse_unknown(request)
    return _shown(_session(request, session_id))


@router.post(
    "/sessions/{session_id}/commit",
    response=SessionOut,
    exclude_none=True,
    operation_id="commit_session",
    summary="Connect with the input alone",
    **call(
        "sessions:write",
        "not_found",
        "session_in_use",
        "session_expired",
        "idempotency_key_in_use",
        "credentials_refused",
        "response_not_understood",
        "address_refused",
        "idempotency_key_reused",
        within_422=("provider_unavailable", "mint_budget_spent", "instance_not_found", "secret_unreadable"),
    ),
)
def commit_session(request: ApiRequest, session_id: SessionId, idempotency_key: IdempotencyKey = None) -> Any:
    """Connect every component with what is filled in, without a browser: all of them, or none.

    422 says in `components` what is missing or refused, whatever the reason. The session can then be tried again. One
    that is complete already is answered as it is.
    """
    refuse_unknown(request)
    session = _session(request, session_id)

    def commit() -> dict[str, Any]:
        sessions.commit(session)
        return _shown(session).model_dump(mode="json")

    try:
        answer = idempotency.once(request.auth, idempotency_key, f"{request.method} {request.path}", commit)
    except sessions.SessionFailed as error:
        return _refused(error)
    return SessionOut.model_validate(answer)


def _refused(error: sessions.SessionFailed) -> JsonResponse:
    shown = _shown(error.session).model_dump(mode="json", exclude_none=True)
    return problem(error, status=422, components=shown["components"])


def _shown(session: Session) -> SessionOut:
    now = database_time.now()
    is_complete = session.state == Session.State.COMPLETE
    components = {}
    for part in sessions.parts_of(session):
        error = None
        if part.problem and session.state == Session.State.FAILED:
            error = Trouble(code=part.problem["code"], detail=sessions.detail_of(part.problem))
        status: Any = "complete" if is_complete else "failed" if error else "open"
        components[part.component.name] = ComponentOut(status=status, instance=part.instance_id, error=error)
    return SessionOut(id=session.pk, status=cast(SessionStatus, session.status(now)), components=components)


def _integration(request: ApiRequest, key: str) -> Integration:
    found = Integration.objects.filter(key=key).first() if request.auth.reaches_integration(key) else None
    if found is None:
        raise NotFound(
            f"There is no integration “{key}”.", "It never was, it was removed, or this API key does not reach it."
        )
    return found


def _session(request: ApiRequest, session_id: str) -> Session:
    try:
        found = request.auth.sessions().filter(pk=UUID(session_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no such session.", "It never was, or this API key does not reach it.")
    return found
