"""URL templates: where a placeholder may stand in an address, and how its value is encoded there."""

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import quote
from uuid import UUID

from connectors.oauth2.errors import ResponseNotUnderstood, ValidationFailed
from connectors.oauth2.expressions import Expression, Name, Rendering, Text
from connectors.oauth2.hosts import (
    PATH_SAFE,
    BadAddress,
    checked_base,
    checked_host,
    checked_labels,
    has_dot_segment,
    normal_origin,
)
from connectors.oauth2.templates import Template, TemplateError, parse

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_REMEDY = "Write for example https://{{tenant}}.example.com/oauth/token or {{base_url}}/oauth/token."


@dataclass(frozen=True)
class UrlTemplate:
    """An address in its parts: either an `opening` that is an address itself, or a scheme, a host and perhaps a port.

    `tail` is the path and query: literal texts and expressions in turn.
    """

    source: str
    opening: Expression | None
    scheme: str
    host: tuple[str | Expression, ...]
    port: str
    tail: tuple[str | Expression, ...]

    @property
    def host_names(self) -> frozenset[str]:
        """The names that say which host is asked."""
        parts = self.host if self.opening is None else (self.opening,)
        return Template("", parts).names

    @cached_property
    def fixed_origin(self) -> str:
        """As `normal_origin` has it, where no value has a say in it; else empty."""
        fixed = "".join(part for part in self.host if isinstance(part, str))
        is_fixed = self.opening is None and all(isinstance(part, str) for part in self.host)
        return normal_origin(f"{self.scheme}{fixed}{self.port}") if is_fixed else ""

    @property
    def has_own_domain(self) -> bool:
        """Whether the host ends in a domain of at least two names that no value can change."""
        last = self.host[-1] if self.host else ""
        return isinstance(last, str) and re.search(r"(^|\.)[^.]+\.[^.]+$", last) is not None

    @property
    def has_query(self) -> bool:
        return any(isinstance(part, str) and "?" in part for part in self.tail)

    def render(self, rendering: Rendering) -> str:
        """The address, every value encoded for its place.

        Raises `ValidationFailed` for a value that can't stand there, `ResponseNotUnderstood` where the address comes
        from the provider's own answer.
        """
        return self._literal or self._made(rendering)

    @cached_property
    def _literal(self) -> str:
        """The address, where no value has a say in it: made once. Else empty."""
        is_literal = self.opening is None and all(isinstance(part, str) for part in (*self.host, *self.tail))
        return self._made(Rendering({}, datetime.min, UUID(int=0))) if is_literal else ""

    def _made(self, rendering: Rendering) -> str:
        if self.opening is not None:
            origin = self._opening(self.opening, rendering)
        else:
            origin = f"{self.scheme}{self._host(rendering)}{self.port}"
        tail = self._tail(rendering)
        if has_dot_segment(tail.partition("?")[0]):
            raise _refused(self, self.tail, "a value in the path may not be “.” or “..”")
        return origin + tail

    def _opening(self, opening: Expression, rendering: Rendering) -> str:
        problem = ""
        try:
            return checked_base(opening.render(rendering))
        except BadAddress as error:
            problem = str(error)
        raise _refused(self, (opening,), f"the address is unusable: {problem}")

    def _host(self, rendering: Rendering) -> str:
        host = "".join(part if isinstance(part, str) else part.render(rendering) for part in self.host)
        if all(isinstance(part, str) for part in self.host):
            return host.lower()  # looked at when the definition was saved
        problem = ""
        try:
            for part in self.host:
                if isinstance(part, Expression):
                    checked_labels(part.render(rendering))
            return checked_host(host)
        except BadAddress as error:
            problem = str(error)
        raise _refused(self, self.host, f"the host name is unusable: {problem}")

    def _tail(self, rendering: Rendering) -> str:
        return "".join(
            quote(part, safe=PATH_SAFE + "?") if isinstance(part, str) else quote(part.render(rendering), safe="")
            for part in self.tail
        )


def _refused(
    url: UrlTemplate, parts: tuple[str | Expression, ...], why: str
) -> ValidationFailed | ResponseNotUnderstood:
    names = sorted(Template("", parts).names)
    if any("." in name for name in names):
        return ResponseNotUnderstood(
            "The provider's answer can't be used.",
            f"The address {url.source} can't be made of {', '.join(names)}: {why}.",
            "The administrator should compare the definition's `keep` with the provider's answer.",
        )
    return ValidationFailed(
        f"The address {url.source} can't be made.",
        f"{why[0].upper()}{why[1:]}.",
        f"Check what is filled in for {', '.join(names)}." if names else "",
        fields=dict.fromkeys(names, f"{why[0].upper()}{why[1:]}."),
    )


def parse_url(source: str, *, bases: Container[str]) -> UrlTemplate:
    """Read an address template. `bases` are the names that may open one. Raises `TemplateError`."""
    parts = parse(source).parts
    if not parts:
        raise TemplateError("The address is empty.", _REMEDY)
    if any(isinstance(part, str) and re.search(r"[\x00-\x20\x7f\\#]", part) for part in parts):
        raise TemplateError("The address holds a space, a line break, a backslash or a “#”.", _REMEDY)
    if isinstance(parts[0], Expression):
        return _opened(source, parts[0], parts[1:], bases)
    return _absolute(source, parts[0], parts[1:])


def _opened(source: str, opening: Expression, tail: tuple[str | Expression, ...], bases: Container[str]) -> UrlTemplate:
    for term in opening.terms:
        if isinstance(term.atom, Name) and term.atom.name in bases and not term.filters:
            continue
        if isinstance(term.atom, Text) and not term.filters and _is_base(term.atom.value):
            continue
        raise TemplateError(
            "The address opens with a placeholder that is no address.",
            "Only a variable of `format: url`, {{base_url}}, {{response.…}} or what a step keeps can open one; "
            "otherwise write https:// and the host first.",
        )
    if tail and not (isinstance(tail[0], str) and tail[0][0] in "/?"):
        raise TemplateError("Behind the placeholder that opens an address, “/” or “?” must follow.", _REMEDY)
    return UrlTemplate(source, opening, "", (), "", tail)


def _is_base(address: str) -> bool:
    try:
        checked_base(address)
    except BadAddress:
        return False
    return True


def _absolute(source: str, first: str, rest: tuple[str | Expression, ...]) -> UrlTemplate:
    scheme = _SCHEME.match(first)
    if scheme is None:
        raise TemplateError("The address does not begin with https://.", _REMEDY)
    authority: list[str | Expression] = []
    remaining: list[str | Expression] = [first[scheme.end() :], *rest]
    while remaining:
        part = remaining.pop(0)
        end = re.search(r"[/?]", part) if isinstance(part, str) else None
        if isinstance(part, str) and end is not None:
            authority.append(part[: end.start()])
            remaining.insert(0, part[end.start() :])
            break
        authority.append(part)
    host, port = _authority([part for part in authority if part != ""])
    return UrlTemplate(source, None, scheme[0].lower(), host, port, tuple(remaining))


def _authority(parts: list[str | Expression]) -> tuple[tuple[str | Expression, ...], str]:
    """The host's parts and `:port` (or nothing)."""
    literal = "".join(part if isinstance(part, str) else "x" for part in parts)
    if not literal or literal.startswith(":"):
        raise TemplateError("The address has no host.", _REMEDY)
    if "@" in literal:
        raise TemplateError("The address holds a user name or password.", "Use `client_authentication` instead.")
    port = ""
    if ":" in literal and not literal.startswith("["):
        last = parts[-1]
        match = re.search(r":([0-9]{1,5})$", last) if isinstance(last, str) else None
        if match is None or literal.count(":") > 1 or not 0 < int(match[1]) < 65536:
            raise TemplateError("The address's port is not a number from 1 to 65535.", _REMEDY)
        port = match[0]
        parts = [*parts[:-1], *([last[: match.start()]] if isinstance(last, str) and match.start() else [])]
    # Whatever is filled in, what is literal must be able to stand in a host name: "x" stands for a value.
    _check_literal_host("".join(part if isinstance(part, str) else "x" for part in parts), port)
    return tuple(parts), port


def _check_literal_host(host: str, port: str) -> None:
    problem = ""
    try:
        checked_base(f"https://{host}{port}")
    except BadAddress as error:
        problem = str(error)
    if problem:
        raise TemplateError(f"The address's host can't be used: {problem}.", _REMEDY)
