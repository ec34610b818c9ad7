"""An authorization server's own metadata (RFC 8414, OpenID Connect Discovery) → a draft."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args
from urllib.parse import urlsplit, urlunsplit

from connectors.importers.draft import clean, one_line, without_empty
from connectors.importers.names import service_of, slug
from connectors.importers.placeholders import in_address
from connectors.importers.scopes import scope_variable
from connectors.importers.source_text import mapping, texts
from connectors.importers.variables import Variables
from connectors.oauth2 import definition

_OAUTH = "/.well-known/oauth-authorization-server"
_OPENID = "/.well-known/openid-configuration"
# What asks least of a tenant's user comes first; every server must take Basic (RFC 6749 section 2.3.1).
_PREFERRED = (
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "client_secret_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
)
_ALGORITHMS = {
    "private_key_jwt": ("RS256", "ES256", "PS256", "EdDSA", "RS384", "RS512", "ES384", "ES512", "PS384", "PS512"),
    "client_secret_jwt": ("HS256", "HS384", "HS512"),
}
# They are about a person who signs in, and a client that acts for itself gets none of them.
_PEOPLES_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
_CLIENT_CREDENTIALS = "client_credentials"


def is_metadata(root: Mapping[str, Any]) -> bool:
    return isinstance(root.get("token_endpoint"), str) or (
        isinstance(root.get("issuer"), str) and any(str(key).endswith("_endpoint") for key in root)
    )


def metadata_addresses(address: str) -> list[str]:
    """Where an issuer's metadata may lie, the likeliest first; the address itself if it is one of those.

    RFC 8414 section 3.1 puts the well-known part between host and path, OpenID Connect Discovery 4 behind the path.
    """
    parts = urlsplit(address)
    if "/.well-known/" in parts.path:
        return [address]
    path = parts.path.rstrip("/")
    paths = [f"{_OAUTH}{path}", f"{path}{_OPENID}", f"{_OPENID}{path}", f"{path}{_OAUTH}"]
    return [urlunsplit((parts.scheme, parts.netloc, one, "", "")) for one in dict.fromkeys(paths)]


def issuer_of(address: str) -> str:
    """The issuer that a metadata address belongs to (RFC 8414 section 3.1)."""
    parts = urlsplit(address)
    path = parts.path.replace(_OAUTH, "", 1).replace(_OPENID, "", 1)
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


def read_metadata(root: Mapping[str, Any], location: str, remarks: list[str]) -> dict[str, Any]:
    """The document of a connector whose one method is the issuer's."""
    issuer = clean(root.get("issuer"))
    name = service_of(issuer or clean(root.get("token_endpoint"))) or "New connector"
    documentation = clean(root.get("service_documentation"))
    if location:
        _compare(issuer, issuer_of(location), remarks)
    remarks.append("base_url is left out: metadata does not say where the API lives.")
    return {
        **without_empty(
            {
                "kind": "connector",
                "key": slug(name, "new-connector"),
                "name": name,
                "documentation_url": documentation if documentation.startswith(("https://", "http://")) else "",
            }
        ),
        "auth_methods": [read_method(root, remarks)],
    }


def read_method(root: Mapping[str, Any], remarks: list[str], *, key: str = "client-credentials") -> dict[str, Any]:
    """One authentication method, by the best way that both sides know."""
    variables = Variables()
    is_grant = _is_jwt_grant(root, remarks)
    chosen = _authentication(root, remarks)
    if is_grant and chosen in _ALGORITHMS:
        # One assertion is all that a request can carry, and here it is the grant.
        chosen = "none"
    stated = scope_variable(_scopes(root, remarks), remarks)
    if stated:
        variables.state("scope", **stated)
    url = _endpoint(root, chosen, remarks)
    token_request: dict[str, Any] = {"url": in_address(url, variables)} if url else {}
    token_request["client_authentication"] = chosen
    token_request |= _credentials(root, chosen, variables, remarks)
    if is_grant:
        token_request["assertion"] = _grant(root, variables)
    _bound(root, remarks)
    return {
        "key": key,
        "name": "Client credentials" if not is_grant else "Signed assertion",
        **without_empty({"variables": variables.documents()}),
        "token_request": token_request,
    }


def _compare(issuer: str, expected: str, remarks: list[str]) -> None:
    if not issuer:
        remarks.append("The metadata names no issuer (RFC 8414 section 2 asks for it).")
    elif issuer.rstrip("/") != expected.rstrip("/"):
        remarks.append(
            f"The metadata says that its issuer is {issuer}, but it was found at {expected}. RFC 8414 section 3.3 "
            "forbids its use unless both are the same server: make sure that they are."
        )


def _is_jwt_grant(root: Mapping[str, Any], remarks: list[str]) -> bool:
    """Whether a signed assertion is the only grant that needs no person."""
    if "grant_types_supported" not in root:
        remarks.append("The metadata does not list grant types; check that client_credentials is one of them.")
        return False
    grants = texts(root.get("grant_types_supported"))
    if _CLIENT_CREDENTIALS in grants:
        return False
    listed = ", ".join(grants) or "none"
    remarks.append(f"client_credentials is not among the grant types that the server lists: {listed}.")
    return definition.JWT_BEARER in grants


def _authentication(root: Mapping[str, Any], remarks: list[str]) -> str:
    """The client authentication to use. A server that lists none takes Basic (RFC 8414 section 2)."""
    offered = texts(root.get("token_endpoint_auth_methods_supported"))
    if not offered:
        remarks.append("The metadata lists no client authentication, which means client_secret_basic.")
        return "client_secret_basic"
    ours = get_args(definition.ClientAuthentication)
    usable = [one for one in _PREFERRED if one in offered and one in ours and _can_sign(root, one)]
    others = [one for one in offered if not usable or one != usable[0]]
    if not usable:
        remarks.append(f"The server offers only {', '.join(others)}, and none of them is supported here.")
        return "client_secret_basic"
    if others:
        remarks.append(f"client_authentication is {usable[0]}; the server also offers {', '.join(others)}.")
    return usable[0]


def _can_sign(root: Mapping[str, Any], authentication: str) -> bool:
    return authentication not in _ALGORITHMS or _algorithm(root, _ALGORITHMS[authentication]) is not None


def _algorithm(root: Mapping[str, Any], ours: Sequence[str]) -> str | None:
    offered = texts(root.get("token_endpoint_auth_signing_alg_values_supported"))
    return next((one for one in ours if not offered or one in offered), None)


def _scopes(root: Mapping[str, Any], remarks: list[str]) -> dict[str, str]:
    scopes = texts(root.get("scopes_supported"))
    about_people = [scope for scope in scopes if scope in _PEOPLES_SCOPES]
    if about_people:
        remarks.append(f"Left out of the scopes, because they are about people signing in: {', '.join(about_people)}.")
    return dict.fromkeys((scope for scope in scopes if scope not in _PEOPLES_SCOPES), "")


def _endpoint(root: Mapping[str, Any], chosen: str, remarks: list[str]) -> str:
    url = clean(root.get("token_endpoint"))
    alias = clean(mapping(root.get("mtls_endpoint_aliases")).get("token_endpoint"))
    if alias and chosen.endswith("tls_client_auth"):
        return alias
    if alias:
        remarks.append(f"With a client certificate the token endpoint is {alias} (mtls_endpoint_aliases).")
    if not url:
        remarks.append("The metadata names no token_endpoint: fill in token_request.url.")
    elif not url.startswith("https://") and not url.startswith("{"):
        remarks.append("The token endpoint is not https; only hosts in OUTBOUND_ALLOWED_HOSTS can be reached so.")
    return url


def _credentials(
    root: Mapping[str, Any], chosen: str, variables: Variables, remarks: list[str]
) -> dict[str, dict[str, str]]:
    """What the authentication needs beside ID and secret."""
    if chosen in _ALGORITHMS:
        algorithm = _algorithm(root, _ALGORITHMS[chosen])
        usual = _ALGORITHMS[chosen][0]
        stated = {"algorithm": algorithm} if algorithm and algorithm != usual else {}
        if chosen == "client_secret_jwt":
            return {"assertion": stated} if stated else {}
        return {"assertion": {**stated, **_key(variables)}}
    if chosen.endswith("tls_client_auth"):
        remarks.append("The certificate and its private key are asked for as texts in PEM.")
        certificate = variables.placeholder("certificate", format="multiline")
        private_key = variables.placeholder("private_key", secret=True, format="multiline")
        return {"tls": {"certificate": certificate, "private_key": private_key}}
    return {}


def _key(variables: Variables) -> dict[str, str]:
    key = variables.placeholder("private_key", secret=True, format="multiline", help_text="In PEM, or a JWK.")
    key_id = variables.placeholder("key_id", label="Key ID", required=False)
    return {"key": key, "key_id": key_id}


def _grant(root: Mapping[str, Any], variables: Variables) -> dict[str, Any]:
    algorithm = _algorithm(root, _ALGORITHMS["private_key_jwt"])
    stated = {"algorithm": algorithm} if algorithm and algorithm != "RS256" else {}
    return {**stated, **_key(variables), "as": "grant"}


def _bound(root: Mapping[str, Any], remarks: list[str]) -> None:
    algorithms = texts(root.get("dpop_signing_alg_values_supported"))
    if algorithms:
        listed = one_line(", ".join(algorithms), 100)
        remarks.append(f"The server can bind tokens to a key (DPoP: {listed}); the draft does not ask for it.")
    if root.get("tls_client_certificate_bound_access_tokens") is True:
        remarks.append("The server can bind tokens to a client certificate; the draft does not ask for it.")
