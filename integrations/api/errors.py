"""What can go wrong with a call of the API, besides what the services raise.

LatchkeyError
├── Unauthorized        no key, or none that may be used
├── Forbidden           the key may not do that
├── NotFound            there is no such thing, or the key doesn't reach it
├── MethodNotAllowed    the address takes other methods
├── BadRequest          the request can't be read
├── PlatformUnavailable the platform can't reach its database just now
└── InternalError       a fault of the platform's
"""

from connectors.oauth2.errors import LatchkeyError


class Unauthorized(LatchkeyError):
    """No key, or none that may be used."""

    code = "unauthorized"
    permanent = True


class Forbidden(LatchkeyError):
    """The key lacks a scope."""

    code = "forbidden"
    permanent = True

    def __init__(self, what: str, why: str = "", remedy: str = "", *, scope: str) -> None:
        super().__init__(what, why, remedy)
        self.scope = scope


class NotFound(LatchkeyError):
    """There is no such thing, or the key doesn't reach it."""

    code = "not_found"
    permanent = True


class MethodNotAllowed(LatchkeyError):
    """The address takes other methods."""

    code = "method_not_allowed"
    permanent = True


class BadRequest(LatchkeyError):
    """The request can't be read."""

    code = "bad_request"
    permanent = True


class PlatformUnavailable(LatchkeyError):
    """The platform can't do its work just now, because its database is away. `retry_after`: seconds."""

    code = "platform_unavailable"
    retry_after = 5.0


class InternalError(LatchkeyError):
    """A fault of the platform's own."""

    code = "internal_error"
