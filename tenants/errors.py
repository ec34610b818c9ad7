"""What can go wrong when a token is read, besides asking for one (`connectors.oauth2.errors`).

LatchkeyError
├── InstanceNotFound    the tenant has no such instance
├── SeveralInstances    it has several, and nothing says which
├── NotConnected        there is one, but without a token that may be used: never connected, or paused
└── NameTaken           the tenant has an instance of this name already
"""

from connectors.encryption import SecretUnreadable
from connectors.oauth2.errors import (
    AddressRefused,
    CredentialsRefused,
    LatchkeyError,
    MintBudgetSpent,
    ProviderUnavailable,
    ResponseNotUnderstood,
    TokenError,
    ValidationFailed,
)


class InstanceNotFound(LatchkeyError):
    """The tenant has no such instance."""

    code = "instance_not_found"
    permanent = True


class SeveralInstances(LatchkeyError):
    """The tenant has several instances that fit, and nothing says which is meant. `names` tells them apart."""

    code = "several_instances"
    permanent = True

    def __init__(self, what: str, why: str = "", remedy: str = "", *, names: tuple[str, ...] = ()) -> None:
        super().__init__(what, why, remedy)
        self.names = names


class NotConnected(LatchkeyError):
    """The instance has no token that may be used: it was never connected, or a person paused it."""

    code = "not_connected"
    permanent = True


class NameTaken(LatchkeyError):
    """The tenant has an instance of this connector with this name already."""

    code = "name_taken"
    permanent = True


def removed() -> InstanceNotFound:
    """For an instance that was there a moment ago."""
    return InstanceNotFound("The instance is not there any more.", "It was removed meanwhile.", "Connect it anew.")


_RECORDED: dict[str, type[LatchkeyError]] = {
    error.code: error
    for error in (AddressRefused, CredentialsRefused, ResponseNotUnderstood, SecretUnreadable, ValidationFailed)
}


def recorded_error(code: str, reason: str, *, retry_after: float | None = None) -> LatchkeyError:
    """The error that was recorded as an instance's status: its code, and its words in one text."""
    if code == MintBudgetSpent.code and retry_after is not None:
        return MintBudgetSpent(reason, retry_after=retry_after)
    if code in _RECORDED:
        return _RECORDED[code](reason)
    return ProviderUnavailable(reason, retry_after=retry_after)


__all__ = [
    "AddressRefused",
    "CredentialsRefused",
    "InstanceNotFound",
    "LatchkeyError",
    "MintBudgetSpent",
    "NameTaken",
    "NotConnected",
    "ProviderUnavailable",
    "ResponseNotUnderstood",
    "SecretUnreadable",
    "SeveralInstances",
    "TokenError",
    "ValidationFailed",
    "recorded_error",
    "removed",
]
