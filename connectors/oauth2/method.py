"""An authentication method of a connector, put together: its variables, its templates and where each may look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import TopologicalSorter
from typing import NamedTuple

from connectors.oauth2.client_authentication import Authentication, authentication, names_used
from connectors.oauth2.definition import (
    DPOP_HEADERS,
    JWT_BEARER,
    SUPPLIED_KEYS,
    AuthMethod,
    Connector,
    HeaderFields,
    TokenRequest,
    TokenResponse,
    Variable,
    effective_variables,
)
from connectors.oauth2.problems import Path
from connectors.oauth2.templates import TemplateError, parse
from connectors.oauth2.urls import UrlTemplate, parse_url

TOKEN_NAMES = frozenset({"access_token", "token_type", "expires_at"})


class Text(NamedTuple):
    """A string of the definition that may hold placeholders, and where it stands below the method."""

    path: Path
    source: str


@dataclass(frozen=True)
class Method:
    """`definition` as one of `connector`'s authentication methods. Holds no value and no secret."""

    connector: Connector = field(repr=False)
    definition: AuthMethod = field(repr=False)

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """All of them: the connector's, what the type supplies, the method's own."""
        return (*self.connector.variables, *effective_variables(self.definition.variables, self.grant_type))

    @property
    def grant_type(self) -> str:
        """The default of the variable `grant_type`."""
        return JWT_BEARER if self.definition.token_request.is_jwt_grant else "client_credentials"

    @property
    def api_headers(self) -> HeaderFields | None:
        """The header fields of API requests: as stated, or what goes with the kind of token (RFC 9449 section 7.1)."""
        api = self.definition.api_request
        is_bound = self.definition.token_request.dpop and "headers" not in api.model_fields_set
        return DPOP_HEADERS if is_bound else api.headers

    @cached_property
    def in_order_of_defaults(self) -> tuple[Variable, ...]:
        """All of them, each behind those that its default refers to. Circles are refused on save."""
        before = {key: names_in(variable.default) & self.by_key.keys() for key, variable in self.by_key.items()}
        return tuple(self.by_key[key] for key in TopologicalSorter(before).static_order())

    @cached_property
    def by_key(self) -> Mapping[str, Variable]:
        return {variable.key: variable for variable in self.variables}

    @cached_property
    def asked(self) -> tuple[Variable, ...]:
        """The variables that count: a supplied one that nothing uses is neither asked for nor required nor listed."""
        return tuple(
            variable for variable in self.variables if variable.key not in SUPPLIED_KEYS or variable.key in self.used
        )

    @cached_property
    def required(self) -> tuple[Variable, ...]:
        """Those of `asked` that must have a value."""
        return tuple(variable for variable in self.asked if variable.required)

    @cached_property
    def used(self) -> frozenset[str]:
        """Every name that the templates or the client authentication refer to, through defaults too."""
        names = {name for text in self.texts() for name in names_in(text.source)}
        for _, request in self.requests:
            names.update(names_used(request))
        for variable in self.variables:
            if variable.key not in SUPPLIED_KEYS:
                names.update(names_in(variable.default))
        return self._with_defaults(names)

    @cached_property
    def secret_keys(self) -> frozenset[str]:
        """The variables whose values may never be shown: marked secret, or made of one that is."""
        marked = {variable.key for variable in self.variables if variable.secret}
        return frozenset(key for key in self.by_key if not marked.isdisjoint(self._with_defaults({key})))

    @cached_property
    def bases(self) -> frozenset[str]:
        """The names that may open an address."""
        urls = {variable.key for variable in self.variables if variable.format == "url"}
        return frozenset({*urls, "base_url", *self.response_names, *self.step_names()})

    @cached_property
    def response_names(self) -> frozenset[str]:
        return frozenset(f"response.{name}" for name in self.definition.token_response.kept)

    def step_names(self, before: int | None = None) -> frozenset[str]:
        """What the steps keep, as templates name it; only those of the first `before` steps, if that is given."""
        return frozenset(name for step in self.definition.steps[:before] for name in step.kept_names)

    @cached_property
    def requests(self) -> tuple[tuple[Path, TokenRequest], ...]:
        """The requests of an exchange in the order in which they are made, and where each stands below the method."""
        steps = tuple((("steps", index), step) for index, step in enumerate(self.definition.steps))
        return (*steps, (("token_request",), self.definition.token_request))

    def error_places(self, index: int) -> TokenResponse:
        """Where the answer to a step tells of an error: where the provider does in general.

        A place that is made of what later answers bring is left out.
        """
        stated = self.definition.token_response
        unknown = self.step_names() - self.step_names(index)
        places = {
            name: [path for path in _listed(getattr(stated, name)) if unknown.isdisjoint(names_in(path))]
            for name in ("error", "error_description")
        }
        return stated.model_copy(update=places)

    @cached_property
    def base_url_names(self) -> frozenset[str]:
        return names_in(self.connector.base_url)

    @cached_property
    def base_url_is_secret(self) -> bool:
        """Whether a variable marked secret has a say in where the API lives."""
        return not self.secret_keys.isdisjoint(self.behind(self.base_url_names))

    @cached_property
    def token_url(self) -> UrlTemplate:
        return parse_url(self.definition.token_request.url, bases=self.bases)

    @cached_property
    def request_urls(self) -> tuple[UrlTemplate, ...]:
        """The addresses of `requests`."""
        return tuple(parse_url(request.url, bases=self.bases) for _, request in self.requests)

    @cached_property
    def reads_base_url(self) -> tuple[bool, ...]:
        """Of each of `requests`, whether a template in it holds `{{base_url}}`."""
        texts = ([text.source for text in self.texts_of(index)] for index in range(len(self.requests)))
        return tuple("base_url" in frozenset().union(*map(names_in, sources)) for sources in texts)

    @cached_property
    def authentications(self) -> tuple[Authentication, ...]:
        """How each of `requests` shows who the client is."""
        return tuple(authentication(request) for _, request in self.requests)

    @cached_property
    def binds_tokens(self) -> bool:
        """Whether anything is bound to a key (RFC 9449)."""
        return any(request.dpop for _, request in self.requests)

    @cached_property
    def base_url(self) -> UrlTemplate | None:
        return parse_url(self.connector.base_url, bases=self.bases) if self.connector.base_url else None

    @cached_property
    def test_url(self) -> UrlTemplate | None:
        test = self.definition.test_request
        return parse_url(test.url, bases=self.bases) if test else None

    def texts(self) -> Iterator[Text]:
        """Every string in which templates stand, variable defaults apart."""
        for index in range(len(self.definition.steps)):
            yield from self.step_texts(index)
        yield from self.token_texts()
        yield from self.api_texts()
        if self.connector.base_url:
            yield Text(("base_url",), self.connector.base_url)

    @cached_property
    def names_of_api(self) -> frozenset[str]:
        """The names that signing an API request reads, those behind `{{base_url}}` included."""
        return frozenset(name for text in self.api_texts() for name in names_in(text.source)) | self.base_url_names

    @cached_property
    def signs_by_token_alone(self) -> bool:
        """Whether no variable's value has a say in how API requests are signed, or where the API lives."""
        tls = self.definition.token_request.tls
        certificate = (names_in(text.source) for text in _strings((), tls.stated() if tls else None))
        return self.behind(self.names_of_api.union(*certificate)).isdisjoint(self.by_key)

    @cached_property
    def signs_with_any_token(self) -> bool:
        """Whether API requests are signed alike whatever else is known: nothing of it can fail but for the token."""
        return self.signs_by_token_alone and self.names_of_api <= TOKEN_NAMES

    def texts_of(self, index: int) -> Iterator[Text]:
        """The strings of one of `requests` and of how its answer is read."""
        return self.step_texts(index) if index < len(self.definition.steps) else self.token_texts()

    def step_texts(self, index: int) -> Iterator[Text]:
        """The strings of one step and of how its answer is read."""
        step, here = self.definition.steps[index], ("steps", index)
        yield from _request_texts(here, step)
        yield from _strings((*here, "keep"), step.keep)

    def token_texts(self) -> Iterator[Text]:
        """The strings of the token request and of how its answer is read."""
        response = self.definition.token_response
        yield from _request_texts(("token_request",), self.definition.token_request)
        for name in ("access_token", "token_type", "expires_in", "expires_at", "keep", "error", "error_description"):
            yield from _strings(("token_response", name), getattr(response, name))

    def api_texts(self) -> Iterator[Text]:
        """The strings of API requests and of the test request."""
        api, test = self.definition.api_request, self.definition.test_request
        yield from _strings(("api_request", "headers"), self.api_headers)
        yield from _strings(("api_request", "query"), api.query)
        if test is not None:
            yield Text(("test_request", "url"), test.url)

    def behind(self, names: frozenset[str]) -> frozenset[str]:
        """The names, those that their defaults refer to, and what `{{base_url}}` stands for."""
        if "base_url" in names:
            names |= names_in(self.connector.base_url)
        return self._with_defaults(set(names))

    def _with_defaults(self, names: set[str]) -> frozenset[str]:
        waiting = list(names)
        while waiting:
            variable = self.by_key.get(waiting.pop())
            if variable is not None:
                further = names_in(variable.default) - names
                names |= further
                waiting.extend(further)
        return frozenset(names)


def names_in(source: str) -> frozenset[str]:
    """The names in a template; none where it can't be read, which `checks` reports."""
    try:
        return parse(source).names
    except TemplateError:
        return frozenset()


def _listed(paths: str | list[str] | None) -> list[str]:
    return [paths] if isinstance(paths, str) else paths or []


def _request_texts(here: Path, request: TokenRequest) -> Iterator[Text]:
    yield Text((*here, "url"), request.url)
    yield from _strings((*here, "query"), request.query)
    yield from _strings((*here, "headers"), request.headers)
    yield from _strings((*here, "body"), request.parameters)
    if request.assertion is not None:
        yield from _strings((*here, "assertion"), request.assertion.stated())
    if request.tls is not None:
        yield from _strings((*here, "tls"), request.tls.stated())


def _strings(path: Path, value: object) -> Iterator[Text]:
    if isinstance(value, str):
        yield Text(path, value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings((*path, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings((*path, index), item)
