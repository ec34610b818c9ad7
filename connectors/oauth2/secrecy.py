"""A secret goes only where its definition says: who names the host, and whose secrets travel there."""

from collections.abc import Iterable, Iterator

from connectors.oauth2.client_authentication import names_used
from connectors.oauth2.method import Method, Text, names_in
from connectors.oauth2.problems import Problem
from connectors.oauth2.urls import UrlTemplate


def check_secrecy(method: Method) -> Iterator[Problem]:
    """A host that a tenant can influence never receives a secret that the tenant didn't supply."""
    request = method.definition.token_request
    asked = names_used(request) | _names(method.token_texts())
    yield from _check(method, "token_request", method.token_url, asked)
    api = _names(method.api_texts())
    bought_with = operators_secrets(method, asked) if "access_token" in api else ()
    for section, url in (("base_url", method.base_url), ("test_request", method.test_url)):
        if url is not None:
            yield from _check(method, section, url, api)
            yield from _check_token(method, section, url, bought_with)


def _names(texts: Iterable[Text]) -> set[str]:
    return {name for text in texts for name in names_in(text.source)}


def _check(method: Method, section: str, url: UrlTemplate, sent: set[str]) -> Iterator[Problem]:
    influencing = tenants_hosts(method, url)
    secrets = operators_secrets(method, sent)
    if influencing and secrets:
        path = ("base_url",) if section == "base_url" else (section, "url")
        yield Problem(
            path,
            f"The tenant's user can name the host ({', '.join(influencing)}), and would so be sent "
            f"the operator's secret ({', '.join(secrets)}).",
            "Give the host's variable `choices`, hide it, or let the tenant's user supply the secret.",
        )


def _check_token(method: Method, section: str, url: UrlTemplate, bought_with: tuple[str, ...]) -> Iterator[Problem]:
    """A token that the operator's secret buys is as good as that secret while it lives.

    It may go to a part of a domain that the definition names, as providers give one to each customer; but not to
    whatever host a tenant's user types.
    """
    if not bought_with or url.has_own_domain:
        return
    free = [key for key in tenants_hosts(method, url) if not method.by_key[key].pattern]
    if free:
        yield Problem(
            ("base_url",) if section == "base_url" else (section, "url"),
            f"The tenant's user can name any host ({', '.join(free)}), and would so be sent tokens that are bought "
            f"with the operator's secret ({', '.join(bought_with)}).",
            "Write the provider's domain behind the placeholder ({{name}}.example.com), or give the variable `choices` "
            "or a `pattern`.",
        )


def tenants_hosts(method: Method, url: UrlTemplate) -> tuple[str, ...]:
    """The variables through which a tenant's user can influence which host is asked, beyond choosing from a list."""
    names = method.behind(url.host_names)
    if any(name.startswith("response.") for name in names):
        # What the token endpoint says is as trustworthy as the token endpoint.
        names |= method.behind(method.token_url.host_names)
    return tuple(
        variable.key
        for variable in method.variables
        if variable.key in names and variable.is_typed_by_tenant and not variable.choices
    )


def operators_secrets(method: Method, sent: set[str]) -> tuple[str, ...]:
    """The secrets among what is sent that a tenant's user doesn't supply."""
    names = method.behind(frozenset(sent))
    return tuple(
        variable.key
        for variable in method.variables
        if variable.key in names and variable.secret and not variable.is_typed_by_tenant
    )
