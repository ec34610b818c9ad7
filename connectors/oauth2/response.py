"""Answer → token, or the error that says who can mend it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

from connectors.oauth2.advice import NOT_UNDERSTOOD, PERMANENT_CODES, REFUSALS, TRANSIENT_CODES, advise
from connectors.oauth2.answers import read_answer
from connectors.oauth2.definition import TokenResponse
from connectors.oauth2.errors import CredentialsRefused, ProviderUnavailable, ResponseNotUnderstood, TokenError
from connectors.oauth2.http import Headers, HttpResponse
from connectors.oauth2.lifetimes import lifetime, moment
from connectors.oauth2.paths import Answer
from connectors.oauth2.request import Bought
from connectors.oauth2.templates import Rendering, parse

MAX_QUOTED = 300
MAX_TOKEN = 65_536
_TRANSIENT_STATUSES = frozenset({408, 425, 429})


@dataclass(frozen=True)
class TokenGrant(Bought):
    """A token that was bought at `issued_at`. `expires_at` None: it is kept until an API refuses it."""

    issued_at: datetime = field(kw_only=True)

    @property
    def life(self) -> timedelta | None:
        return None if self.expires_at is None else self.expires_at - self.issued_at


def read_grant(
    definition: TokenResponse, response: HttpResponse, rendering: Rendering, *, now: datetime, secrets: Iterable[str]
) -> TokenGrant:
    """The token in an answer that arrived at `now`. What the provider says is never repeated with one of `secrets`.

    Raises `CredentialsRefused`, `ProviderUnavailable` or `ResponseNotUnderstood`.
    """
    answer = read_answer(response)
    token = _text(answer.find(_path(definition.access_token, rendering)))
    if 200 <= response.status < 300 and token:
        if len(token) > MAX_TOKEN or re.search(r"[\x00-\x20\x7f]", token):
            raise ResponseNotUnderstood(
                "The provider's answer can't be used.",
                "What stands where the token was expected is no token: it holds spaces or control characters, or is "
                f"longer than {MAX_TOKEN:,} characters.",
                "The administrator should compare “Response authentication token key” with the provider's answer.",
                status=response.status,
            )
        return TokenGrant(
            access_token=token,
            token_type=_first(definition.token_type, answer, rendering) or "Bearer",
            expires_at=_expiry(definition, answer, rendering, now),
            kept={name: _text(answer.find(_path(path, rendering))) for name, path in definition.kept.items()},
            issued_at=now,
        )
    raise _error(definition, answer, response, rendering, now, tuple(secrets))


def _path(source: str | None, rendering: Rendering) -> str:
    return parse(source).render(rendering).strip() if source else ""


def _paths(sources: str | list[str] | None) -> list[str]:
    return [sources] if isinstance(sources, str) else sources or []


def _first(sources: str | list[str] | None, answer: Answer, rendering: Rendering) -> str:
    found = (_text(answer.find(_path(source, rendering))) for source in _paths(sources))
    return next((text for text in found if text), "")


def _text(value: JsonValue) -> str:
    """A scalar as text; nothing for null, true, false, a list or an object."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _expiry(definition: TokenResponse, answer: Answer, rendering: Rendering, now: datetime) -> datetime | None:
    at = moment(answer.find(_path(definition.expires_at, rendering)), now)
    if at is not None:
        return at
    life = lifetime(answer.find(_path(definition.expires_in, rendering)), definition.expires_in_unit)
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
) -> TokenError:
    refusals = [_code(answer.find(_path(path, rendering))) for path in _paths(definition.error)]
    code = next((quotable(refusal, secrets) for refusal in refusals if refusal), "")
    said = quotable(_first(definition.error_description, answer, rendering) or _message(answer), secrets)
    status = response.status
    if _is_transient(definition, code, status):
        return _unavailable(response, code, said, now)
    if code or status in (400, 401, 403):
        advice = advise(REFUSALS, code, status)
        return CredentialsRefused(
            _quoting(f"The provider refused the request with status {status}", code, said),
            advice.why,
            advice.remedy,
            error=code,
            description=said,
            status=status,
        )
    advice = advise(NOT_UNDERSTOOD, code, status)
    return ResponseNotUnderstood(
        f"The provider answered with status {status}, but without a token.", advice.why, advice.remedy, status=status
    )


def _is_transient(definition: TokenResponse, code: str, status: int) -> bool:
    if code and code in {str(own) for own in definition.errors.credentials}:
        return False
    if code and code in {str(own) for own in definition.errors.retry}:
        return True
    if status in _TRANSIENT_STATUSES or code in TRANSIENT_CODES:
        return True
    return status >= 500 and code not in PERMANENT_CODES


def _code(value: JsonValue) -> str:
    """The provider's error code. Absent, null, empty, `0`, `"0"` and `false` are no refusal."""
    if isinstance(value, Mapping):
        return next((text for key in ("code", "type", "error", "status") if (text := _code(value.get(key)))), "error")
    if isinstance(value, list):
        return next((text for item in value if (text := _code(item))), "")
    if value is True:
        return "true"
    text = _text(value)
    return "" if text in ("", "0", "0.0") or value == 0 else text


def _message(answer: Answer) -> str:
    """Words for a person where providers often put them, if the definition's own place is empty."""
    for path in ("message", "error.message", "error_message", "errors.0.message", "detail", "errmsg"):
        if text := _text(answer.find(path)):
            return text
    return ""


def _unavailable(response: HttpResponse, code: str, said: str, now: datetime) -> ProviderUnavailable:
    if response.status == 429:
        what, why = "The provider asks us to slow down", "Too many tokens were asked for in a short time."
    else:
        what, why = f"The provider could not answer (status {response.status})", "Its token endpoint is in trouble."
    return ProviderUnavailable(
        _quoting(what, code, said),
        why,
        "It is tried again by itself; nothing needs to be done.",
        retry_after=retry_after(response.headers, now),
    )


def _quoting(what: str, code: str, said: str) -> str:
    shown = ": ".join(part for part in (code, said) if part)
    return f"{what}: “{shown}”." if shown else f"{what}."


def quotable(text: str, secrets: Iterable[str]) -> str:
    """A provider's words, safe to show: one line, cut, without markup or control characters, and without a secret."""
    spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "•••")
    text = re.sub(r"<[^>]*>", " ", text)
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]", " ", text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


def _spellings(secret: str) -> set[str]:
    # A secret of one to three characters would blank out ordinary words.
    return {secret, quote(secret, safe=""), quote_plus(secret)} if len(secret) > 3 else set()


def retry_after(headers: Headers, now: datetime) -> float | None:
    """The wish of a `Retry-After` header in seconds from `now` (RFC 9110 section 10.2.3), at most a day; or None."""
    value = headers.get("Retry-After").strip()
    if re.fullmatch(r"\d{1,10}(\.\d{1,6})?", value):
        return min(float(value), 86_400.0)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), 86_400.0)
