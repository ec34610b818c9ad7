"""Authentication methods as processes use them: read once, remembered until they change."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from uuid import UUID

from connectors.documents import connector_document
from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2 import definition
from connectors.oauth2.method import Method


@dataclass(frozen=True)
class Definition:
    """An authentication method, ready to use. `typed` are the operator's values; its repr shows none of them."""

    method: Method = field(repr=False)
    typed: Mapping[str, str] = field(repr=False)

    def operator_values(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The operator's values: what was typed in the admin, else what the environment holds."""
        found = {key: environ[name] for key, name in self._in_environment if name in environ}
        return {**found, **self.typed}

    @cached_property
    def _in_environment(self) -> tuple[tuple[str, str], ...]:
        """Variables, and where the operator may keep their values."""
        named = ((variable.key, variable.default_from_env) for variable in self.method.variables)
        return tuple((key, name) for key, name in named if name)


def definition_of(method: AuthMethod) -> Definition:
    """What the method says; no query if this process has read this revision of it before."""
    return definition_at(method.id, method.revision)


@lru_cache(maxsize=1024)
def definition_at(pk: int, revision: UUID) -> Definition:
    """What the method with this primary key said at this revision, which must be the present one."""
    row = AuthMethod.objects.get(pk=pk)
    connector = Connector.objects.with_definitions().get(pk=row.connector_id)
    document = definition.Connector.model_validate(connector_document(connector))
    (chosen,) = (one for one in document.auth_methods if one.key == row.key)
    typed = Variable.objects.of_method(row).with_operator_value()
    return Definition(
        Method(document.model_copy(update={"auth_methods": [chosen]}), chosen),
        {variable.key: variable.operator_value for variable in typed if variable.operator_value},
    )
