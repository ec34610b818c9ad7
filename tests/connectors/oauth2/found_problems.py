"""What the checks of a definition found, by place."""

from connectors.oauth2.checks import check_connector
from connectors.oauth2.problems import dotted
from tests.connectors.oauth2.definitions import connector_of

METHOD = "auth_methods[0]"


def problems(operator=None, **parts):
    return {dotted(found.path): found for found in check_connector(connector_of(**parts), operator or {})}


def assert_told(path, message, remedy, parts):
    """The problem is told at this place, in these words, with one of the remedies (between bars)."""
    found = problems(**parts)

    problem = found.get(path) or found.get(path.replace(".Authorization", ".authorization"))
    assert problem is not None, list(found)
    assert message in problem.message
    assert any(part in problem.remedy for part in remedy.split("|"))
    assert problem.remedy or "Write" in problem.message
