"""What can go wrong when a token is asked for, and who can mend it.

LatchkeyError                       says what happened, why, and what to do next
├── ValidationFailed                a value is missing, or can't stand where the definition puts it
└── TokenError                      asking for a token came to nothing
    ├── ProviderUnavailable         no usable answer came, or "try again later"; waiting helps
    ├── ResponseNotUnderstood       an answer came, but neither a token nor an error that we know
    ├── AddressRefused              the request would go where requests may not go
    ├── CredentialsRefused          the provider said no (RFC 6749 section 5.2, or the definition's own error rule)
    │   └── TokenRejected           an API says that the very token is dead with which it was tried
    └── MintBudgetSpent             the definition's `max_requests` allows no further request for now
"""

import copyreg
from collections.abc import Mapping
from typing import Any, ClassVar, Self


class LatchkeyError(Exception):
    """An error with words for a person.

    `what` happened, `why`, and the `remedy`: each a sentence (or empty), none with a secret in it.
    `code` is the stable name that the HTTP API and events use; `permanent` says that waiting won't help.
    """

    code: ClassVar[str] = "error"
    permanent: ClassVar[bool] = False

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what, why, remedy)
        self.what = what
        self.why = why
        self.remedy = remedy

    def __reduce__(self) -> tuple[Any, ...]:
        # By its attributes: `Exception` would call the class with `args` alone, which not every one of them takes.
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]

    def at(self, place: str) -> Self:
        """The same error, its first sentence opening with where it happened: `At the step “login”`."""
        error = type(self).__new__(type(self), *self.args)
        error.__dict__.update(self.__dict__)
        error.what = f"{place}: {self.what}"
        error.args = (error.what, self.why, self.remedy)
        return error

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.why, self.remedy) if part)


class ValidationFailed(LatchkeyError):
    """A value is missing, or can't stand where the definition puts it. `fields` has a sentence by variable key."""

    code = "validation_failed"
    permanent = True

    def __init__(self, what: str, why: str = "", remedy: str = "", *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(what, why, remedy)
        self.fields = dict(fields or {})


class TokenError(LatchkeyError):
    """Asking for a token came to nothing."""


class ProviderUnavailable(TokenError):
    """No usable answer came. `retry_after` is the provider's own wish in seconds, or None.

    `is_endpoints`: the trouble is that of the endpoint (no answer, or a status from 500 on), so that every other client
    would meet it too.
    """

    code = "provider_unavailable"

    def __init__(
        self,
        what: str,
        why: str = "",
        remedy: str = "",
        *,
        retry_after: float | None = None,
        is_endpoints: bool = False,
    ) -> None:
        super().__init__(what, why, remedy)
        self.retry_after = retry_after
        self.is_endpoints = is_endpoints


class ResponseNotUnderstood(TokenError):
    """An answer came, but neither a token nor an error that we know. `status` is the HTTP status."""

    code = "response_not_understood"

    def __init__(self, what: str, why: str = "", remedy: str = "", *, status: int | None = None) -> None:
        super().__init__(what, why, remedy)
        self.status = status


class AddressRefused(TokenError):
    """The request would have gone to an address that requests may not go to; nothing was sent."""

    code = "address_refused"
    permanent = True


class CredentialsRefused(TokenError):
    """The provider said no; only a person can mend that.

    `error` is the provider's own code, or empty; `description` its own words, cut and stripped.
    """

    code = "credentials_refused"
    permanent = True

    def __init__(
        self, what: str, why: str = "", remedy: str = "", *, error: str = "", description: str = "", status: int = 0
    ) -> None:
        super().__init__(what, why, remedy)
        self.error = error
        self.description = description
        self.status = status


class TokenRejected(CredentialsRefused):
    """An API answered the test request as it does with a dead token (`refresh.on_status`, `refresh.on_body`)."""


class MintBudgetSpent(TokenError):
    """No further token request is allowed for `retry_after` seconds (the definition's `max_requests`)."""

    code = "mint_budget_spent"

    def __init__(self, what: str, why: str = "", remedy: str = "", *, retry_after: float) -> None:
        super().__init__(what, why, remedy)
        self.retry_after = retry_after
