"""Why a request had no answer that can be used, in words for a person: the same, whoever carried it."""

from connectors.deadline import Deadline
from connectors.exchange import AnswerBroken, AnswerTooLarge, NoAnswer, UnsendableRequest
from connectors.oauth2.errors import LatchkeyError, ProviderUnavailable, ResponseNotUnderstood, ValidationFailed
from connectors.targets import Target

# Why, and what to do.
HUNG_UP = ("It closed the connection during the TLS handshake.", "Check the address, or try again later.")


def unknown(host: str) -> ProviderUnavailable:
    """No address was found for the name."""
    return ProviderUnavailable(
        f"{host} could not be reached.",
        "No address is known for that name.",
        "Check the host in the address. If it is right, check this machine's name resolution (DNS).",
        is_endpoints=True,
    )


def unreachable(host: str, port: int, *, is_refused: bool) -> ProviderUnavailable:
    """No connection came about."""
    return ProviderUnavailable(
        f"{host} could not be reached at port {port}.",
        "The connection was refused." if is_refused else "There is no way to it.",
        "Check the address; if it is right, try again later.",
        is_endpoints=True,
    )


def insecure(host: str, why: str, remedy: str, *, presents: bool) -> ProviderUnavailable:
    """The TLS handshake failed."""
    # Where a certificate was presented it may be that one's fault alone: others may fare better with theirs.
    return ProviderUnavailable(f"No secure connection to {host} could be made.", why, remedy, is_endpoints=not presents)


def explained(error: Exception, target: Target, limit: Deadline) -> LatchkeyError:
    """What a failed exchange (`connectors.exchange`) means."""
    host = target.authority
    if isinstance(error, TimeoutError):
        return ProviderUnavailable(
            f"{host} did not answer in time.",
            f"The whole exchange may take {limit.seconds:g} seconds.",
            "Try again later. If the host is always that slow, have the operator raise OUTBOUND_TIMEOUT.",
            is_endpoints=True,
        )
    if isinstance(error, NoAnswer):
        why = (
            "It closed the connection without an answer; whether it acted on the request isn't known."
            if error.silent
            else "The connection ended in the middle of the answer."
        )
        return ProviderUnavailable(f"{host} gave no whole answer.", why, "Try again later.", is_endpoints=True)
    if isinstance(error, UnsendableRequest):
        return ValidationFailed(f"No request was sent to {host}.", str(error), "Correct the values or the definition.")
    what = f"The answer of {host} could not be used."
    assert isinstance(error, AnswerBroken)  # noqa: S101 -- for the type checker: an exchange raises nothing else
    remedy = "Check that the address is that of an API, not of a page or a download."
    if not isinstance(error, AnswerTooLarge):
        remedy = "Check that the address and port are those of an HTTP server."
    return ResponseNotUnderstood(what, error.why, remedy, status=error.status)
