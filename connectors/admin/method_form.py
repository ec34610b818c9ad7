"""The forms of an authentication method: a short first step, then everything."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextareaWidget

from connectors.admin import fields, steps_text
from connectors.admin.checking import check_method, sentence
from connectors.admin.message_body import parse_json
from connectors.admin.rows import RowsField, RowsWidget
from connectors.admin.sections import documents_of, field_of, fields_of
from connectors.admin.texts import TextsKept
from connectors.models import AuthMethod, Variable
from connectors.oauth2.definition import SUPPLIED_VARIABLES

_TEMPLATE = "May hold {{variables}}."
_PATH = "Where it stands in the answer: a path such as data.token, header:Name or $ for the whole body. Empty: nowhere."
_STEPS_EXAMPLE = """\
- key: login
  keep:
    session: data.session
  url: https://api.example.com/login
  body:
    user: "{{client_id}}"
    password: "{{client_secret}}"
"""
BODY_FORMATS = (
    ("form", "Form (application/x-www-form-urlencoded)"),
    ("json", "JSON"),
    ("text", "Text"),
    ("none", "No body"),
)
CLIENT_AUTHENTICATIONS = (
    ("client_secret_post", "client_secret_post: id and secret in the body"),
    ("client_secret_basic", "client_secret_basic: id and secret in the Authorization header"),
    ("client_secret_jwt", "client_secret_jwt: the secret signs an assertion"),
    ("private_key_jwt", "private_key_jwt: a private key signs an assertion"),
    ("tls_client_auth", "tls_client_auth: a certificate that an authority signed"),
    ("self_signed_tls_client_auth", "self_signed_tls_client_auth: a certificate that the provider was given"),
    ("none", "none: the rows below place the credentials themselves"),
)


def supplied_variables(method: AuthMethod) -> list[Variable]:
    """The variables that the type supplies, as rows of the method."""
    return [
        Variable(
            auth_method=method,
            position=position,
            **{name: getattr(supplied, name) for name in ("key", "label", "default", "required", "secret", "display")},
        )
        for position, supplied in enumerate(SUPPLIED_VARIABLES)
    ]


class AddMethodForm(TextsKept):
    """What must be known before the type can supply the rest."""

    token_url = fields.text(
        "Token URL", "The provider's token endpoint, such as https://auth.example.com/oauth/token.", required=True
    )

    class Meta:
        model = AuthMethod
        fields = ("connector", "name", "key", "type")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        connector = cleaned.get("connector")
        if connector and AuthMethod.objects.filter(connector=connector, key=cleaned.get("key")).exists():
            self.add_error("key", "The connector has an authentication method with this key already.")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # (the stubs leave out what is private)
        self.instance.token_request = {"url": self.cleaned_data.get("token_url", "")}
        if self.errors:
            return
        problems, here = check_method(self.instance, supplied_variables(self.instance))
        for problem in problems:
            below = problem.path[len(here) :] if problem.path[: len(here)] == here else ()
            field = field_of(below)[0] or (str(below[0]) if below else "")
            is_shown = field in self.fields
            self.add_error(field if is_shown else None, str(problem) if is_shown else sentence(problem))


class MethodForm(TextsKept):
    """Everything that an authentication method says, apart from its variables."""

    request_method = fields.choice("Method", [("POST", "POST"), ("GET", "GET")], "GET takes no body.")
    token_url = fields.text(
        "URL", f"The provider's token endpoint. {_TEMPLATE} A value is percent-encoded for its place.", required=True
    )
    query = RowsField(label="Query parameters", help_text=f"Added to the URL. {_TEMPLATE}")
    client_authentication = fields.choice("Client authentication", CLIENT_AUTHENTICATIONS)
    basic_encoding = fields.choice(
        "Encoding in Basic",
        [("rfc6749", "Percent-encoded first (RFC 6749)"), ("raw", "As they are")],
        "For client_secret_basic. “As they are” is for providers that decode nothing.",
    )
    assertion = fields.long_text(
        "Assertion",
        "As JSON: algorithm, key, key_id, audience, lifetime, claims, headers, as. For client_secret_jwt (may be "
        'empty), private_key_jwt, and "as": "grant". Example: {"algorithm": "ES256", "key": "{{private_key}}"}.',
        rows=5,
    )
    tls_certificate = fields.lines(
        "Client certificate",
        "Presented in TLS, to the API too; beside any client authentication. Such as {{certificate}}, a variable of "
        "format multiline. Empty: none.",
    )
    tls_private_key = fields.text(
        "Private key of the certificate", "A secret variable of format multiline, such as {{private_key}}."
    )
    dpop = fields.switch(
        "Bind the token to a key (DPoP)",
        "The platform makes the key, and proves with every request that it holds it (RFC 9449).",
    )
    steps_text = fields.long_text(
        "Steps before it",
        "Up to three requests that are made first, such as a login, as a YAML list. Each has a key, a url, keep "
        "(a path by name) and what a token request has; later templates read {{key.name}}. Empty: none.",
        rows=10,
        placeholder=_STEPS_EXAMPLE,
    )
    headers = RowsField(
        once=True,
        label="Headers",
        help_text=f"{_TEMPLATE} Content-Type follows the body's format for as long as you leave it as it is.",
    )
    body_format = fields.choice("Format", BODY_FORMATS)
    body = RowsField(label="Parameters", help_text=f"{_TEMPLATE} A parameter that comes to nothing is left out.")
    body_text = fields.long_text(
        "Body as text",
        f"{_TEMPLATE} With the format Text, this is the body. With JSON, write it here where values are nested or are "
        "no texts; it then stands instead of the parameters above.",
    )
    access_token_path = fields.text("Access token", "Where the token stands. {{token_key}} leaves it to the variable.")
    token_type_path = fields.text("Token type", _PATH)
    expires_in_path = fields.text("Expires in", _PATH)
    expires_in_unit = fields.choice(
        "Unit of a bare number", [("s", "Seconds"), ("ms", "Milliseconds"), ("min", "Minutes")]
    )
    expires_at_path = fields.text("Expires at", f"{_PATH} Wins over “Expires in”.")
    default_lifetime = fields.number(
        "Lifetime otherwise", "In seconds, where the answer gives no expiry. Empty: until an API refuses the token."
    )
    keep = RowsField(
        once=True,
        label="Keep",
        help_text="Other fields of the answer, for {{response.name}}. An empty path is the name itself.",
        widget=RowsWidget(names="Name", values="Path", can_switch_off=False),
    )
    error_path = fields.lines("Error", "The path of the provider's error code; several paths, one a line.")
    error_description_path = fields.lines("Error description", "The path of its explanation; several, one a line.")
    credentials_codes = fields.lines(
        "Codes: mend the credentials", "The provider's own error codes that only a person can mend, one a line."
    )
    retry_codes = fields.lines("Codes: try again", "The provider's own error codes that waiting helps, one a line.")
    api_headers = RowsField(
        once=True,
        label="Headers",
        help_text="{{access_token}} and what is kept, {{response.name}}, may stand here too.",
    )
    api_query = RowsField(
        label="Query parameters", help_text="{{access_token}} and what is kept, {{response.name}}, may stand here too."
    )
    test_url = fields.text(
        "Test request: URL",
        "A harmless request that shows whether a token works. Empty: none. {{base_url}} may open it.",
    )
    test_method = fields.choice("Test request: method", [("GET", "GET"), ("POST", "POST"), ("HEAD", "HEAD")])
    expect_status = fields.text("Test request: expected statuses", "Separated by commas, such as 200, 204.")
    early = fields.number(
        "Renew early by", "At least so many seconds before expiry, but never before half the token's life."
    )
    on_status = fields.text(
        "Statuses of a dead token", "API statuses that mean “this token is dead”, such as 401, 403."
    )
    on_body = RowsField(
        label="Answers of a dead token",
        help_text="Values in a 2xx answer that mean the same. Numbers, true, false and null as in JSON.",
        widget=RowsWidget(names="Path", values="Value", can_switch_off=False),
    )
    invalidates_previous = fields.switch(
        "A new token kills the old one", "Then no token is ever asked for merely to look whether it works."
    )
    max_requests = fields.text(
        "Budget of token requests", "For each client: 5/day, 2/hour, 100/hour … Empty: no limit."
    )

    class Meta:
        model = AuthMethod
        fields = ("name", "instructions")
        widgets = {"instructions": UnfoldAdminTextareaWidget({"rows": 14, "data-preview": ""})}  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**fields_of(self.instance), **self.initial}

    def clean_body_text(self) -> str:
        text: str = self.cleaned_data["body_text"]
        return _checked_json(text) if self.cleaned_data.get("body_format") == "json" else text

    def clean_assertion(self) -> str:
        return _checked_json(self.cleaned_data["assertion"])

    def clean_steps_text(self) -> str:
        text: str = self.cleaned_data["steps_text"]
        try:
            steps_text.read(text)
        except ValueError as error:
            problem = str(error)
        else:
            return text
        raise ValidationError(problem, code="yaml")

    def clean_early(self) -> int:
        return self.cleaned_data["early"] or 0

    def _post_clean(self) -> None:
        if not self.errors:
            for name, document in documents_of(self.instance, self.cleaned_data).items():
                setattr(self.instance, name, document)
        super()._post_clean()  # type: ignore[misc]  # (the stubs leave out what is private)


def _checked_json(text: str) -> str:
    try:
        if text.strip():
            parse_json(text)
    except (ValueError, RecursionError) as error:
        problem = str(error)
    else:
        return text
    raise ValidationError(f"This is no JSON: {problem}. Compare quotes, commas and brackets.", code="json")
