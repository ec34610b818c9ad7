"""A secret goes only where its definition says: who names the host, and whose secrets travel there."""

from collections.abc import Iterable, Iterator

from connectors.oauth2.client_authentication import names_used
from connectors.oauth2.method import Method, Text, names_in
from connectors.oauth2.problems import Path, Problem
from connectors.oauth2.urls import UrlTemplate


def check_secrecy(method: Method) -> Iterator[Problem]:
    """A host that a tenant can influence never receives a secret that the tenant didn't supply."""
    for index, (path, _) in enumerate(method.requests):
        url, sent = method.request_urls[index], _sent(method, index)
        here = (*path, "url")
        yield from _check(method, here, url, sent)
        yield from _check_token(method, here, url, _bought_with(method, sent))
    api = _names(method.api_texts())
    for here, api_url in ((("base_url",), method.base_url), (("test_request", "url"), method.test_url)):
        if api_url is not None:
            yield from _check(method, here, api_url, api)
            yield from _check_token(method, here, api_url, _bought_with(method, api))


def _sent(method: Method, index: int) -> set[str]:
    """The names of what one of the method's requests is made of."""
    return names_used(method.requests[index][1]) | _names(method.texts_of(index))


def _bought_with(method: Method, sent: set[str]) -> tuple[str, ...]:
    """The operator's secrets that bought what is sent: the token, or what steps kept."""
    secrets: dict[str, None] = {}
    for index in _answers_behind(method, method.behind(frozenset(sent))):
        secrets |= dict.fromkeys(operators_secrets(method, _sent(method, index)))
    return tuple(secrets)


def _answers_behind(method: Method, names: frozenset[str]) -> list[int]:
    """Which of the method's requests gave the answers that `names` come from, directly or by way of other answers."""
    last = len(method.definition.steps)
    is_token = "access_token" in names or any(name.startswith("response.") for name in names)
    waiting, found = [last] if is_token else [], set[int]()
    waiting += _steps_behind(method, names)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += _steps_behind(method, method.behind(frozenset(_sent(method, index))))
    return sorted(found)


def _steps_behind(method: Method, names: frozenset[str]) -> list[int]:
    steps = method.definition.steps
    return [index for index, step in enumerate(steps) if not names.isdisjoint(step.kept_names)]


def _names(texts: Iterable[Text]) -> set[str]:
    return {name for text in texts for name in names_in(text.source)}


def _check(method: Method, here: Path, url: UrlTemplate, sent: set[str]) -> Iterator[Problem]:
    influencing = tenants_hosts(method, url)
    secrets = operators_secrets(method, sent)
    if influencing and secrets:
        yield Problem(
            here,
            f"The tenant's user can name the host ({', '.join(influencing)}), and would so be sent "
            f"the operator's secret ({', '.join(secrets)}).",
            "Give the host's variable `choices`, hide it, or let the tenant's user supply the secret.",
        )


def _check_token(method: Method, here: Path, url: UrlTemplate, bought_with: tuple[str, ...]) -> Iterator[Problem]:
    """A token that the operator's secret buys is as good as that secret while it lives.

    It may go to a part of a domain that the definition names, as providers give one to each customer; but not to
    whatever host a tenant's user types.
    """
    if not bought_with or url.has_own_domain:
        return
    free = [key for key in tenants_hosts(method, url) if not method.by_key[key].pattern]
    if free:
        yield Problem(
            here,
            f"The tenant's user can name any host ({', '.join(free)}), and would so be sent what is bought "
            f"with the operator's secret ({', '.join(bought_with)}).",
            "Write the provider's domain behind the placeholder ({{name}}.example.com), or give the variable `choices` "
            "or a `pattern`.",
        )


def tenants_hosts(method: Method, url: UrlTemplate) -> tuple[str, ...]:
    """The variables through which a tenant's user can influence which host is asked, beyond choosing from a list."""
    names = _hosts_behind(method, url)
    return tuple(
        variable.key
        for variable in method.variables
        if variable.key in names and variable.is_typed_by_tenant and not variable.choices
    )


def _hosts_behind(method: Method, url: UrlTemplate) -> frozenset[str]:
    """The names that say which host is asked, and those of the hosts that had a say in it by their answers."""
    names = method.behind(url.host_names)
    for index in reversed(range(len(method.requests))):
        is_token = index == len(method.definition.steps)
        said = "response." if is_token else f"{method.definition.steps[index].key}."
        if any(name.startswith(said) for name in names):
            # What an endpoint says is as trustworthy as the endpoint.
            names |= method.behind(method.request_urls[index].host_names)
    return names


def operators_secrets(method: Method, sent: set[str]) -> tuple[str, ...]:
    """The secrets among what is sent that a tenant's user doesn't supply."""
    names = method.behind(frozenset(sent))
    return tuple(
        variable.key
        for variable in method.variables
        if variable.key in names and variable.secret and not variable.is_typed_by_tenant
    )
