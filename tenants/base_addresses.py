"""The API's address, where a value or a provider's answer gives it: over plain http only where the operator allows it.

What is secret travels by https. Whoever reads a token sends it where `base_url` says, so such an address is refused
rather than handed out, as `client()` refuses to connect to it.
"""

from connectors import transport
from connectors.oauth2.errors import AddressRefused, ProviderUnavailable
from connectors.oauth2.method import Method
from connectors.oauth2.request import Bought, with_base_url
from connectors.oauth2.templates import Rendering
from connectors.transport import Resolve


def refuse_open(method: Method, base_url: str, *, resolve: Resolve | None = transport.resolve) -> None:
    """Raise `AddressRefused` for http to a host that OUTBOUND_ALLOWED_HOSTS doesn't have.

    An address that the definition spells out is its author's affair. A name is looked up only where the list holds
    networks and not the name, which may raise `ProviderUnavailable`; without `resolve` such a name passes.
    """
    if not base_url.startswith("http:") or not _is_given(method):
        return
    try:
        transport.refuse_open_address(base_url, resolve=resolve)
    except AddressRefused:
        pass
    except ProviderUnavailable as error:
        error.is_endpoints = False  # the API's trouble is not that of the token endpoint
        raise
    else:
        return
    raise AddressRefused(
        f"The token can't be used: the API's address is given as {_origin(base_url)}.",
        "It begins with http://, and secrets travel by https only.",
        "Have it given with https, or have the operator add its host to OUTBOUND_ALLOWED_HOSTS if its network is "
        "trusted.",
    )


def refuse_open_answer(
    method: Method, rendering: Rendering, bought: Bought, *, resolve: Resolve | None = transport.resolve
) -> None:
    """The same of the address that a provider's answer gives, before it is kept."""
    if _is_given(method):
        base_url = with_base_url(method, rendering.with_values(bought.names())).values.get("base_url", "")
        refuse_open(method, base_url, resolve=resolve)


def _origin(base_url: str) -> str:
    """Without the path, in which a variable marked secret may stand."""
    return "/".join(base_url.split("/", 3)[:3])


def _is_given(method: Method) -> bool:
    return method.base_url is not None and method.base_url.opening is not None
