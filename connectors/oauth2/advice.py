"""What to tell a person when a token endpoint says no: the rules that turn wire errors into advice, as one table.

The first rule that fits speaks. A rule fits by the provider's error code or by the HTTP status; where it says so, only
if the client proved itself in a certain way, or if the answer is a page for people.
"""

from dataclasses import dataclass

from connectors.oauth2.client_authentication import BY_CERTIFICATE, BY_JWT
from connectors.oauth2.definition import TokenRequest

TRANSIENT_CODES = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
PERMANENT_CODES = frozenset(
    {
        "invalid_client",
        "unauthorized_client",
        "invalid_grant",
        "invalid_scope",
        "invalid_target",
        "unsupported_grant_type",
        "unsupported_token_type",
        "access_denied",
    }
)


@dataclass(frozen=True)
class Advice:
    why: str
    remedy: str
    codes: frozenset[str] = frozenset()
    statuses: range = range(0)
    proof: str = ""  # as `proof_in` names it; empty: whatever was presented
    is_page: bool = False

    def fits(self, code: str, status: int, proof: str, is_page: bool) -> bool:
        if (self.proof and self.proof != proof) or (self.is_page and not is_page):
            return False
        return code in self.codes if self.codes else status in self.statuses


def proof_in(request: TokenRequest) -> str:
    """What a refusal may be about, besides ID and secret: `assertion`, `grant` (a JWT that is one) or `certificate`."""
    if request.client_authentication in BY_JWT:
        return "assertion"
    if request.is_jwt_grant:
        return "grant"
    return "certificate" if request.client_authentication in BY_CERTIFICATE else ""


def _codes(*codes: str) -> frozenset[str]:
    return frozenset(codes)


_OF_A_JWT = (
    "Check that this machine's clock is right, that the key is the very one whose public part is registered there, and "
    "that the key ID (kid) is the one that it has there. If they are right, the administrator should compare "
    "`assertion.audience` and `assertion.algorithm` with the provider's documentation."
)

REFUSALS = (
    Advice(
        "It does not accept the signed assertion that stands in for a secret.",
        _OF_A_JWT,
        codes=_codes("invalid_client"),
        proof="assertion",
    ),
    Advice(
        "It does not accept the signed assertion.",
        _OF_A_JWT,
        codes=_codes("invalid_grant", "invalid_client"),
        proof="grant",
    ),
    Advice(
        "It does not accept the client certificate for this client ID.",
        "Check the client ID, that the certificate is registered there for it (its subject, or the certificate itself "
        "where it is self-signed), and that it has neither expired nor been replaced.",
        codes=_codes("invalid_client"),
        proof="certificate",
    ),
    Advice(
        "It does not accept the client ID or the client secret.",
        "Copy both once more from the provider's console: the secret may have been replaced, revoked or expired, "
        "or a character was lost in copying. If they are right, the administrator should check whether this provider "
        "wants them in the Authorization header (client_secret_basic) or in the body (client_secret_post).",
        codes=_codes("invalid_client"),
    ),
    Advice(
        "It does not accept the proof that goes with the request (DPoP).",
        "Check that this machine's clock is right, and that the token URL is the address that the provider documents; "
        "the proof names both.",
        codes=_codes("invalid_dpop_proof", "use_dpop_nonce"),
    ),
    Advice(
        "The client is known, but may not use this kind of sign-in.",
        "Allow the client credentials grant for this client in the provider's console (it may be called "
        "“machine to machine”, “server to server” or “service account”).",
        codes=_codes("unauthorized_client", "access_denied"),
    ),
    Advice(
        "It does not grant the scope that was asked for.",
        "Check the scope's spelling, and that the client may use it in the provider's console.",
        codes=_codes("invalid_scope"),
    ),
    Advice(
        "It does not know this grant type.",
        "The administrator should compare the grant type with the provider's documentation.",
        codes=_codes("unsupported_grant_type"),
    ),
    Advice(
        "It does not accept what was presented for the token, for example because it was revoked or has expired.",
        "Make new credentials in the provider's console and enter them here.",
        codes=_codes("invalid_grant"),
    ),
    Advice(
        "It does not know the resource or audience that was asked for.",
        "Compare the audience or resource with the provider's documentation.",
        codes=_codes("invalid_target"),
    ),
    Advice(
        "It finds the request incomplete or malformed.",
        "Check the values that are filled in; if they are right, the administrator should compare the parameters with "
        "the provider's documentation.",
        codes=_codes("invalid_request"),
    ),
    Advice(
        "It does not accept the credentials.",
        "Copy the client ID and the client secret once more from the provider's console, "
        "and check that they belong to this account and environment.",
        statuses=range(401, 402),
    ),
    Advice(
        "Access is forbidden. Some providers answer a wrong secret like this, others a missing permission or an "
        "address that is not on their allow-list.",
        "Check the client ID and the client secret, then the client's permissions in the provider's console.",
        statuses=range(403, 404),
    ),
    Advice(
        "It does not say more that we understand.",
        "Check the values that are filled in against the provider's console and documentation.",
        statuses=range(600),
    ),
)

NOT_UNDERSTOOD = (
    Advice(
        "There is no token endpoint at this address.",
        "Check what is filled in for the host or tenant; if it is right, the administrator should check the token URL.",
        statuses=range(404, 405),
    ),
    Advice(
        "The address does not take this kind of request.",
        "The administrator should check the token URL, the method and the body format.",
        statuses=range(405, 420),
    ),
    Advice(
        "The provider sends the request elsewhere; credentials are not sent on to another address.",
        "The administrator should put the final address into the token URL.",
        statuses=range(300, 400),
    ),
    Advice(
        "The answer is a page for people, not a token: the address may be that of a website, or a sign-in or "
        "maintenance page stands before the API.",
        "Check the values that are filled in, the host above all; if they are right, the administrator should check "
        "the token URL.",
        statuses=range(200, 300),
        is_page=True,
    ),
    Advice(
        "The token may have another name in this answer.",
        "The administrator should compare “Response authentication token key” with the provider's answer.",
        statuses=range(200, 300),
    ),
    Advice(
        "The answer holds no error that we know.",
        "The administrator should compare the token request with the provider's documentation.",
        statuses=range(600),
    ),
)

STEP_NOT_UNDERSTOOD = (
    Advice(
        "There is nothing at the step's address.",
        "Check what is filled in for the host or tenant; if it is right, the administrator should check the step's "
        "`url`.",
        statuses=range(404, 405),
    ),
    Advice(
        "The step's address does not take this kind of request.",
        "The administrator should check the step's `url`, `method` and `body_format`.",
        statuses=range(405, 420),
    ),
    Advice(
        "The provider sends the step elsewhere; credentials are not sent on to another address.",
        "The administrator should put the final address into the step's `url`.",
        statuses=range(300, 400),
    ),
    Advice(
        "The answer is a page for people, which some providers show when a login fails.",
        "Check the user's name and the password or secret; if they are right, the administrator should check the "
        "step's `url`.",
        statuses=range(200, 300),
        is_page=True,
    ),
    Advice(
        "What the step keeps may have other names in this answer.",
        "Check the values that are filled in; if they are right, the administrator should compare the step's `keep` "
        "with the provider's answer.",
        statuses=range(200, 300),
    ),
    Advice(
        "The answer holds no error that we know.",
        "The administrator should compare the step with the provider's documentation.",
        statuses=range(600),
    ),
)


def advise(rules: tuple[Advice, ...], code: str, status: int, *, proof: str = "", is_page: bool = False) -> Advice:
    """The first rule that fits; the last of each table fits everything."""
    return next((rule for rule in rules if rule.fits(code, status, proof, is_page)), rules[-1])
