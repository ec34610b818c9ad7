"""Answer → token, or the error that says who can mend it."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pydantic import JsonValue

from connectors.oauth2.advice import NOT_UNDERSTOOD, PERMANENT_CODES, REFUSALS, TRANSIENT_CODES, advise
from connectors.oauth2.answers import read_answer
from connectors.oauth2.definition import TokenResponse
from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable, ResponseNotUnderstood, TokenError
from connectors.oauth2.http import Headers, HttpResponse
from connectors.oauth2.lifetimes import lifetime, moment
from connectors.oauth2.paths import WHOLE_BODY, Answer
from connectors.oauth2.quotations import quotable
from connectors.oauth2.request import Bought
from connectors.oauth2.templates import Rendering, parse

MAX_TOKEN = 65_536  # characters
# RFC 6749 appendix A.12 allows spaces too, but what holds some is a page or a sentence.
_TOKEN = re.compile(r"[\x21-\x7e]+")
_THE_REQUEST = "the request"
_MAX_DEPTH = 5  # of an error inside an error
_RETRY_AFTER = re.compile(r"[0-9]+(?:\.[0-9]{1,6})?")
_MAX_RETRY_AFTER = 86_400.0  # seconds
TRANSIENT_STATUSES = frozenset({408, 425, 429})


@dataclass
class TokenGrant(Bought):
    """A token that was bought at `issued_at`. `expires_at` None: it is kept until an API refuses it."""

    issued_at: datetime = field(kw_only=True)

    @property
    def life(self) -> timedelta | None:
        return None if self.expires_at is None else self.expires_at - self.issued_at


def read_grant(
    definition: TokenResponse,
    response: HttpResponse,
    rendering: Rendering,
    *,
    now: datetime,
    secrets: Iterable[str],
    usual_type: str = "Bearer",
    proof: str = "",
) -> TokenGrant:
    """The token in an answer that arrived at `now`. What the provider says is never repeated with one of `secrets`.

    `usual_type` is the token's type where the answer says nothing of it, `proof` what the client presented (see
    `advice.proof_in`).

    Raises `CredentialsRefused`, `ProviderUnavailable` or `ResponseNotUnderstood`.
    """
    answer = read_answer(response)
    place = rendered_path(definition.access_token, rendering)
    token = _text(answer.find(place))
    if 200 <= response.status < 300 and token:
        # A page may be short enough to look like a token, where the whole body is one.
        is_whole_page = place == WHOLE_BODY and is_page(answer)
        if is_whole_page or len(token) > MAX_TOKEN or not _TOKEN.fullmatch(token):
            if is_page(answer):
                raise _not_understood(definition, answer, response, rendering, tuple(secrets))
            raise ResponseNotUnderstood(
                "The provider's answer can't be used.",
                "What stands where the token was expected is no token: it holds spaces or other characters that no "
                f"token has, or is longer than {MAX_TOKEN:,} characters.",
                "The administrator should compare “Response authentication token key” with the provider's answer.",
                status=response.status,
            )
        return TokenGrant(
            access_token=token,
            token_type=quotable(_first(definition.token_type, answer, rendering), ()) or usual_type,
            expires_at=_expiry(definition, answer, rendering, now),
            kept={name: text_of(answer.find(rendered_path(path, rendering))) for name, path in definition.kept.items()},
            issued_at=now,
        )
    raise _error(definition, answer, response, rendering, now, tuple(secrets), proof)


def rendered_path(source: str | None, rendering: Rendering) -> str:
    """A path with its placeholders filled in."""
    if not source:
        return ""
    return source.strip() if "{{" not in source else parse(source).render(rendering).strip()


def _paths(sources: str | list[str] | None) -> list[str]:
    return [sources] if isinstance(sources, str) else sources or []


def _first(sources: str | list[str] | None, answer: Answer, rendering: Rendering) -> str:
    for source in _paths(sources):
        if text := _text(answer.find(rendered_path(source, rendering))):
            return text
    return ""


def _text(value: JsonValue) -> str:
    """A scalar as text; nothing for null, true, false, a list or an object."""
    if isinstance(value, str):
        if value.isascii():
            return value.strip()
        # JSON can hold half a character ("\ud800"), which can't be sent or stored.
        return value.strip().encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return str(int(value) if value.is_integer() else value) if math.isfinite(value) else ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def text_of(value: JsonValue) -> str:
    """What is kept of a value in an answer: a scalar as text, else nothing."""
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _expiry(definition: TokenResponse, answer: Answer, rendering: Rendering, now: datetime) -> datetime | None:
    if definition.expires_at:
        at = moment(answer.find(rendered_path(definition.expires_at, rendering)), now)
        if at is not None:
            return at
    life = lifetime(answer.find(rendered_path(definition.expires_in, rendering)), definition.expires_in_unit)
    if life is None and definition.default_lifetime is not None:
        life = timedelta(seconds=definition.default_lifetime)
    return None if life is None else now + life


def _error(
    definition: TokenResponse,
    answer: Answer,
    response: HttpResponse,
    rendering: Rendering,
    now: datetime,
    secrets: tuple[str, ...],
    proof: str,
) -> TokenError:
    refusal = refusal_in(definition, answer, response, rendering, now, secrets, proof=proof)
    return refusal or _not_understood(definition, answer, response, rendering, secrets)


def _not_understood(
    definition: TokenResponse, answer: Answer, response: HttpResponse, rendering: Rendering, secrets: tuple[str, ...]
) -> ResponseNotUnderstood:
    status = response.status
    advice = advise(NOT_UNDERSTOOD, "", status, is_page=is_page(answer))
    place = quotable(rendered_path(definition.access_token, rendering), secrets)
    return ResponseNotUnderstood(
        f"The provider answered with status {status}, but without a token at “{place}”.",
        advice.why,
        advice.remedy,
        status=status,
    )


def is_page(answer: Answer) -> bool:
    """Whether an answer is HTML, whatever its Content-Type says."""
    return answer.text.lstrip("\ufeff \t\r\n")[:15].lower().startswith(("<!doctype html", "<html"))


def refusal_in(
    definition: TokenResponse,
    answer: Answer,
    response: HttpResponse,
    rendering: Rendering,
    now: datetime,
    secrets: tuple[str, ...],
    *,
    asked: str = _THE_REQUEST,
    proof: str = "",
) -> CredentialsRefused | ProviderUnavailable | None:
    """The error that an answer tells of; None if it tells of none that we know. `asked` says what was refused."""
    found = (_code(answer.find(rendered_path(path, rendering))) for path in _paths(definition.error))
    codes = [code for code in found if code]
    code = quotable(codes[0], secrets) if codes else ""
    said = quotable(_first(definition.error_description, answer, rendering) or _message(answer), secrets)
    status = response.status
    if _is_transient(definition, codes, status):
        return _unavailable(response, code, said, now, asked)
    if codes or status in (400, 401, 403):
        advice = advise(REFUSALS, codes[0] if codes else "", status, proof=proof)
        return CredentialsRefused(
            _quoting(f"The provider refused {asked} with status {status}", code, said),
            advice.why,
            advice.remedy,
            error=code,
            description=said,
            status=status,
        )
    return None


def _is_transient(definition: TokenResponse, codes: list[str], status: int) -> bool:
    """Whether waiting helps. What the definition says of a code outweighs what the status says."""
    if any(code in codes for code in map(str, definition.errors.credentials)):
        return False
    if any(code in codes for code in map(str, definition.errors.retry)):
        return True
    if status in TRANSIENT_STATUSES or any(code in TRANSIENT_CODES for code in codes):
        return True
    return status >= 500 and not any(code in PERMANENT_CODES for code in codes)


def _code(value: JsonValue, depth: int = 0) -> str:
    """The provider's error code. Absent, null, empty, `0`, `"0"` and `false` are no refusal."""
    if isinstance(value, Mapping | list) and depth >= _MAX_DEPTH:
        return "error"
    if isinstance(value, Mapping):
        stated = [value[key] for key in ("code", "type", "error", "status") if key in value]
        codes = (_code(item, depth + 1) for item in stated)
        return next((code for code in codes if code), "error" if value and not stated else "")
    if isinstance(value, list):
        return next((code for item in value if (code := _code(item, depth + 1))), "")
    if isinstance(value, bool):
        return "true" if value else ""
    text = _text(value)
    return "" if text == "0" else text


def _message(answer: Answer) -> str:
    """Words for a person where providers often put them, if the definition's own place is empty."""
    for path in ("message", "error.message", "error_message", "errors.0.message", "detail", "errmsg"):
        if text := _text(answer.find(path)):
            return text
    return ""


def _unavailable(response: HttpResponse, code: str, said: str, now: datetime, asked: str) -> ProviderUnavailable:
    if response.status == 429:
        what, why = (
            f"The provider asks us to slow down{_asked(asked)}",
            "Too many tokens were asked for in a short time.",
        )
    else:
        what, why = (
            f"The provider could not answer{_asked(asked)} (status {response.status})",
            "Its token endpoint is in trouble.",
        )
    return ProviderUnavailable(
        _quoting(what, code, said),
        why,
        "It is tried again by itself; nothing needs to be done.",
        retry_after=retry_after(response.headers, now),
        is_endpoints=response.status >= 500,
    )


def _asked(asked: str) -> str:
    return "" if asked == _THE_REQUEST else f" at {asked}"


def _quoting(what: str, code: str, said: str) -> str:
    shown = ": ".join(part for part in (code, said) if part)
    return f"{what}: “{shown}”." if shown else f"{what}."


def retry_after(headers: Headers, now: datetime) -> float | None:
    """The wish of a `Retry-After` header in seconds from `now` (RFC 9110 section 10.2.3), at most a day; or None."""
    value = headers.get("Retry-After").strip()
    if _RETRY_AFTER.fullmatch(value):
        return min(float(value), _MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), _MAX_RETRY_AFTER)
