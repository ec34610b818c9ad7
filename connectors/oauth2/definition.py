"""What a document says, as typed values; the JSON Schema of the format comes from here.

A section remembers which of its keys the document states (`model_fields_set`), so that a document survives a round
trip through the database unchanged. What `type: oauth2_client_credentials` supplies are the defaults.
Whether the parts of a document fit together is looked at in `checks`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

KEY_PATTERN = r"^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$"
VARIABLE_KEY_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]*$"
NOT_BLANK = r"\S"
MAX_STEPS = 3
TEN_YEARS = 3653 * 24 * 3600  # seconds, with the most leap days that ten years can hold

Key = Annotated[str, StringConstraints(pattern=KEY_PATTERN, max_length=64)]
VariableKey = Annotated[str, StringConstraints(pattern=VARIABLE_KEY_PATTERN, max_length=64)]
Name = Annotated[str, StringConstraints(pattern=NOT_BLANK, max_length=200)]
Status = Annotated[int, Field(ge=100, le=599)]
Scalar = str | int | float | bool | None
Parameters = dict[str, Scalar | list[Scalar]]
HeaderFields = dict[str, str | None]
_BEARER: HeaderFields = {"Authorization": "Bearer {{access_token}}"}
DPOP_HEADERS: HeaderFields = {"Authorization": "DPoP {{access_token}}"}


class Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    def stated(self) -> dict[str, Any]:
        """The section as its document states it, in canonical order and without what it leaves to the defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Choice(Section):
    """One entry of a drop-down."""

    value: str = Field(description="What is sent.")
    label: str = Field(description="What the tenant's user reads.")


class Variable(Section):
    """A named value that the connector or the authentication method needs."""

    key: VariableKey = Field(description="Exact, case-sensitive, immutable; what {{key}} refers to.")
    label: Annotated[str, StringConstraints(max_length=200)] = Field("", description="Shown beside the field.")
    help_text: str = Field("", description="A sentence below the field.")
    example: str = Field("", description="Shown in the empty field.")
    default: str = Field("", description="May itself be a template over other variables. Not for secrets.")
    default_from_env: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="The environment variable that holds the operator's value."
    )
    required: bool = Field(True, description="Whether connecting needs a value.")
    secret: bool = Field(False, description="Write-only: never shown again once typed.")
    display: Literal["editable", "advanced", "read_only", "hidden"] = Field(
        "editable", description="Who supplies and sees it: the tenant's user, or (last two) the default or operator."
    )
    pattern: str = Field("", description="A regular expression that the whole value must match.")
    choices: list[str | Choice] = Field([], description="Makes a drop-down.")
    format: Literal["text", "multiline", "url", "hostname"] = Field("text", description="What the value is.")

    @property
    def title(self) -> str:
        return self.label or self.key.replace("_", " ").replace("-", " ").capitalize()

    @property
    def options(self) -> tuple[Choice, ...]:
        """The choices, each with its label."""
        return tuple(
            choice if isinstance(choice, Choice) else Choice(value=choice, label=choice) for choice in self.choices
        )

    @property
    def is_typed_by_tenant(self) -> bool:
        return self.display in ("editable", "advanced")

    def changed(self, stated: dict[str, Any]) -> "Variable":
        """This variable with what a document states instead. Only what is named changes."""
        return Variable.model_validate({**self.stated(), **stated})


ClientAuthentication = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]


class Assertion(Section):
    """A JWT that speaks for the client (RFC 7523). Templates stand in every string of it but `as`."""

    algorithm: str = Field("", description="RS256 … EdDSA; empty: RS256, with client_secret_jwt HS256.")
    key: str = Field("", description="A PEM private key or a JWK; with client_secret_jwt {{client_secret}}.")
    key_id: str = Field("", description="The header kid; empty: that of the JWK, if the key is one.")
    audience: str = Field("", description="The claim aud; empty: the token URL as rendered.")
    lifetime: Annotated[int, Field(gt=0, le=TEN_YEARS)] = Field(300, description="Seconds from iat to exp.")
    claims: dict[str, JsonValue] = Field({}, description="Further claims, and others instead of those supplied.")
    headers: dict[str, JsonValue] = Field({}, description="Further header fields of the JWT, such as x5t#S256.")
    as_: Literal["grant"] | None = Field(
        None, alias="as", description="grant: the JWT is the grant itself (RFC 7523 section 2.1)."
    )


class Tls(Section):
    """The certificate that the client presents in the TLS handshake (RFC 8705), to the API too."""

    certificate: str = Field(description="In PEM, those of its authorities behind it; such as {{certificate}}.")
    private_key: str = Field(description="Its key in PEM: a secret variable, such as {{private_key}}.")


class TokenRequest(Section):
    """The request that buys a token. Templates stand in every string of it but the methods' names."""

    method: Literal["POST", "GET"] = Field("POST", description="GET requires body_format: none.")
    url: str = Field(description="The token endpoint.")
    client_authentication: ClientAuthentication = Field(
        "client_secret_post", description="How the client proves who it is (RFC 6749 section 2.3)."
    )
    basic_encoding: Literal["rfc6749", "raw"] = Field(
        "rfc6749", description="raw: id and secret are not percent-encoded before they are joined."
    )
    query: Parameters | None = Field({}, description="Added to the URL's own query.")
    headers: HeaderFields | None = Field({}, description="Header fields; Content-Type follows body_format.")
    body_format: Literal["form", "json", "text", "none"] = Field("form", description="How the body is written.")
    body: JsonValue = Field(None, description="form: a mapping; json: any JSON; text: one string.")
    assertion: Assertion | None = Field(
        None, description="The JWT of client_secret_jwt and private_key_jwt, or the grant."
    )
    tls: Tls | None = Field(None, description="The client certificate; beside any client authentication.")
    dpop: bool = Field(False, description="Bind the token to a key that the platform makes (RFC 9449).")

    @property
    def is_jwt_grant(self) -> bool:
        return self.assertion is not None and self.assertion.as_ == "grant"

    @property
    def parameters(self) -> JsonValue:
        """The body as stated, or the one that the type supplies."""
        if "body" in self.model_fields_set or self.body_format in ("none", "text"):
            return self.body
        return {"grant_type": "{{grant_type}}", "scope": "{{scope}}"}


class _StepHead(Section):
    key: VariableKey = Field(description="What {{key.name}} begins with; no variable's key.")
    keep: dict[str, str] = Field({}, description="{name: path} of what to keep of the answer, for {{key.name}}.")


class Step(TokenRequest, _StepHead):
    """A request made before the token request, such as a login. The type supplies nothing but how it is sent."""

    url: str = Field(description="Where it is sent; may use what earlier steps keep.")
    client_authentication: ClientAuthentication = Field("none", description="As for token_request.")

    @property
    def parameters(self) -> JsonValue:
        return self.body

    @property
    def kept_names(self) -> tuple[str, ...]:
        """What later templates call the kept values."""
        return tuple(f"{self.key}.{name}" for name in self.keep)


class ErrorRules(Section):
    """The provider's own codes, found at `error`."""

    credentials: list[str | int] = Field([], description="Codes that only mending the credentials helps.")
    retry: list[str | int] = Field([], description="Codes that trying again helps.")


class TokenResponse(Section):
    """How to read the answer: paths, which may hold templates."""

    access_token: str = Field("{{token_key}}", description="The path to the token; $ is the whole body.")
    token_type: str | None = Field("token_type", description="The path to the token's type.")
    expires_in: str | None = Field("expires_in", description="The path to the token's lifetime.")
    expires_in_unit: Literal["s", "ms", "min"] = Field("s", description="For bare numbers.")
    expires_at: str | None = Field(
        "", description="Epoch seconds, epoch milliseconds or ISO 8601; wins over expires_in."
    )
    default_lifetime: Annotated[int, Field(gt=0, le=TEN_YEARS)] | None = Field(
        None, description="Seconds, when the answer gives no usable expiry; null: until an API refuses the token."
    )
    keep: list[str] | dict[str, str] = Field([], description="Other fields to keep, for {{response.NAME}}.")
    error: str | list[str] | None = Field("error", description="The path or paths to the provider's error code.")
    error_description: str | list[str] | None = Field(
        "error_description", description="The path or paths to the provider's words for a person."
    )
    errors: ErrorRules = Field(ErrorRules(), description="What the provider's own codes mean.")

    @property
    def kept(self) -> dict[str, str]:
        """Path by name of what is kept."""
        return self.keep if isinstance(self.keep, dict) else {path: path for path in self.keep}


class ApiRequest(Section):
    """How an API request is signed."""

    headers: HeaderFields | None = Field(_BEARER, description="Header fields of every API request.")
    query: Parameters | None = Field({}, description="Query parameters of every API request.")


class Refresh(Section):
    """When a token is renewed."""

    early: Annotated[int, Field(ge=0, le=TEN_YEARS)] = Field(
        0, description="At least so many seconds before expiry, but never before half the token's life."
    )
    on_status: list[Status] = Field([401], description="API statuses that mean “this token is dead”.")
    on_body: dict[str, list[Scalar]] = Field({}, description="{path: [values]} that mean the same in a 2xx answer.")
    invalidates_previous: bool = Field(False, description="A new token kills the old one: never mint just to look.")
    max_requests: str | None = Field(None, description="Mint budget per client: 5/day, 2/hour, 100/hour …")


class TestRequest(Section):
    """A harmless API request that shows whether a token works."""

    __test__ = False  # not a test case, whatever its name

    method: Literal["GET", "POST", "HEAD"] = Field("GET", description="Something that changes nothing.")
    url: str = Field(description="An address of the API, such as {{base_url}}/users/me.")
    expect_status: list[Status] = Field([200], description="The statuses that mean “the token works”.")


class AuthMethod(Section):
    """One way to authenticate to a connector."""

    key: Key = Field(description="Unique in the connector, immutable.")
    name: Name = Field(description="What the tenant's user chooses by.")
    type: Literal["oauth2_client_credentials"] = Field(
        "oauth2_client_credentials", description="Supplies five variables and the usual request."
    )
    instructions: str = Field("", description="Markdown, shown beside the wizard's form.")
    variables: list[Variable] = Field(
        [], description="Further variables, and changes to those that the type supplies, matched by key."
    )
    steps: Annotated[list[Step], Field(max_length=MAX_STEPS)] = Field(
        [], description="Requests made first, in order; later templates read what they keep."
    )
    token_request: TokenRequest = Field(description="The request that buys a token.")
    token_response: TokenResponse = Field(TokenResponse(), description="How to read the answer.")
    api_request: ApiRequest = Field(ApiRequest(), description="How an API request is signed.")
    refresh: Refresh = Field(Refresh(), description="When a token is renewed.")
    test_request: TestRequest | None = Field(None, description="A harmless request that shows whether a token works.")


class Connector(Section):
    """A third-party service that can be connected, and how."""

    kind: Literal["connector"] = Field(description="A service that can be connected.")
    key: Key = Field(description="Unique, immutable.")
    name: Name = Field(description="The service's own name.")
    description: str = Field("", description="A sentence on what the service is.")
    category: Annotated[str, StringConstraints(max_length=100)] = Field("", description="Groups connectors in lists.")
    documentation_url: Annotated[str, StringConstraints(max_length=2000)] = Field(
        "", description="Where the provider documents this."
    )
    base_url: str = Field("", description="Where the API lives; a template.")
    variables: list[Variable] = Field([], description="Usable in base_url and in every method's templates.")
    auth_methods: list[AuthMethod] = Field([], description="The ways to authenticate; a tenant's user chooses one.")


class Component(Section):
    """What an integration reads tokens of."""

    connector: Key = Field(description="The connector's key.")
    auth_method: Key | None = Field(None, description="The key of one of its methods; null: any of them.")


class Integration(Section):
    """A piece of the host's own code that reads tokens."""

    kind: Literal["integration"] = Field(description="Code that reads tokens.")
    key: Key = Field(description="Unique, immutable; what the code refers to.")
    name: Name = Field(description="What people call it.")
    allowed_redirects: list[str] = Field([], description="Prefixes of the addresses that a session may lead back to.")
    allowed_origins: list[str] = Field([], description="Origins that may embed the wizard.")
    components: dict[Key, Component] = Field({}, description="What it reads tokens of, each under a name.")


Document = Annotated[Connector | Integration, Field(discriminator="kind")]

SUPPLIED_VARIABLES = (
    Variable(key="scope", label="Scope", default="", required=False),
    Variable(key="grant_type", label="Grant type", default="client_credentials", required=True, display="advanced"),
    Variable(key="client_id", label="Client ID", required=True),
    Variable(key="client_secret", label="Client secret", required=True, secret=True),
    Variable(
        key="token_key",
        label="Response authentication token key",
        default="access_token",
        required=True,
        display="advanced",
    ),
)
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SUPPLIED_KEYS = tuple(variable.key for variable in SUPPLIED_VARIABLES)
RESERVED_NAMES = ("access_token", "token_type", "expires_at", "response", "base_url", "or")


def effective_variables(stated: list[Variable], grant_type: str = "client_credentials") -> tuple[Variable, ...]:
    """A method's variables: what the type supplies and the document doesn't name, then what it names, in its order.

    `grant_type` is the default of the variable of that name.
    """
    supplied = {variable.key: variable for variable in SUPPLIED_VARIABLES}
    supplied["grant_type"] = supplied["grant_type"].changed({"default": grant_type})
    named = {variable.key for variable in stated}
    return (
        *(variable for key, variable in supplied.items() if key not in named),
        *(
            supplied[variable.key].changed(variable.stated()) if variable.key in supplied else variable
            for variable in stated
        ),
    )
