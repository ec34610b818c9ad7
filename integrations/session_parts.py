"""What a session is to set up, as the host's backend asks for it: components, instances to reconnect, values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from connectors.definitions import definition_of
from connectors.models import AuthMethod
from connectors.oauth2.problems import did_you_mean
from connectors.oauth2.values import check_given
from integrations.models import Binding, Component, Integration, SessionPart
from tenants.filled_in import values_error
from tenants.models import Instance
from tenants.models.instance import InstanceQuerySet

# Beside the values; no variable's key can begin with a dollar sign.
AUTH_METHOD = "$auth_method"
NAME = "$name"

Given = Mapping[str, Mapping[str, str]]
Reconnected = Sequence[UUID] | Mapping[str, UUID]
_NO_INSTANCE = "The tenant has no such instance, or it is out of this API key's reach."


@dataclass
class Request:
    """A request for a session; `problems` collects what is wrong with it, by the name of what is wrong."""

    integration: Integration
    given: Given = field(repr=False)
    components: Sequence[str] | None
    instances: Reconnected
    problems: dict[str, str] = field(default_factory=dict)

    def parts(self, seen: InstanceQuerySet, now: datetime) -> list[SessionPart]:
        """A part for each component that is to be set up, unsaved. `seen`: the tenant's instances that may be named."""
        known = {
            one.name: one for one in self.integration.components.select_related("connector", "auth_method__connector")
        }
        if not known:
            self.problems["components"] = "This integration has no components. An administrator can add them."
        elif self.components is not None and not self.components:
            self.problems["components"] = "Name at least one, or leave this out for all of them."
        wanted = [name for name in self.components if name in known] if self.components is not None else list(known)
        for index, name in enumerate(self.components or ()):
            if name not in known:
                self.problems[f"components.{index}"] = f"There is no such component. {did_you_mean(name, known)}"
        reconnected = self._reconnected({name: known[name] for name in known if name in wanted}, seen)
        if self.components is None and reconnected:
            wanted = [name for name in known if name in reconnected or name in self.given]
        for name in self.given:
            if name not in wanted:
                text = "There is no such component." if name not in known else "“components” doesn't name it."
                self.problems[f"input.{name}"] = f"{text} {did_you_mean(name, wanted)}"
        return [
            self._part(position, component, reconnected.get(component.name), now)
            for position, component in enumerate(one for one in known.values() if one.name in wanted)
        ]

    # Which instance belongs to which component

    def _reconnected(self, known: Mapping[str, Component], seen: InstanceQuerySet) -> dict[str, Instance]:
        mapping = self.instances if isinstance(self.instances, Mapping) else None
        pks = list(self.instances.values()) if isinstance(self.instances, Mapping) else list(self.instances)
        rows = {row.pk: row for row in seen.select_related("auth_method__connector").filter(pk__in=pks)}
        found: dict[str, Instance] = {}
        for index, pk in enumerate(pks):
            name = list(mapping)[index] if mapping is not None else None
            place = f"instances.{index if name is None else name}"
            problem, component = self._component_of(rows.get(pk), name, known, found)
            if component is None or problem:
                self.problems[place] = problem
            else:
                found[component.name] = rows[pk]
        return found

    def _component_of(
        self, row: Instance | None, name: str | None, known: Mapping[str, Component], found: Mapping[str, Instance]
    ) -> tuple[str, Component | None]:
        """What keeps the instance from being reconnected, if anything does; and the component that it belongs to."""
        if name is not None and name not in known:
            return f"There is no such component. {did_you_mean(name, known)}", None
        if row is None:
            return _NO_INSTANCE, None
        if row in found.values():
            return "This instance is named twice.", None
        fitting = [one for one in known.values() if name in (None, one.name) and one.name not in found]
        fitting = [one for one in fitting if fits(row, one)]
        bound = Binding.objects.filter(instance=row, component__in=fitting).values_list("component", flat=True)
        if len(fitting) > 1 and len(bound) == 1:
            fitting = [one for one in fitting if one.pk == bound[0]]
        if not fitting:
            return "No component that is to be set up has this instance's connector and method.", None
        if len(fitting) > 1:
            names = ", ".join(one.name for one in fitting)
            return f'It fits several components: {names}. Say which: {{"COMPONENT": "ID"}}.', None
        return "", fitting[0]

    # What is filled in

    def _part(self, position: int, component: Component, instance: Instance | None, now: datetime) -> SessionPart:
        given = dict(self.given.get(component.name, {}))
        name = given.pop(NAME, "").strip()
        if len(name) > 200 or not name.isprintable():
            self.problems[f"input.{component.name}.{NAME}"] = "A name is one line of at most 200 characters."
        wish = given.pop(AUTH_METHOD, None)
        methods = self._methods(component, instance, wish, given)
        # Where the input answers all that some of them require, there is nothing left to ask: the first of these it is.
        answered = [one for one in methods if given and values_error(one, given, now) is None]
        method = methods[0] if len(methods) == 1 else next(iter(answered), None)
        return SessionPart(
            component=component,
            position=position,
            auth_method=method,
            has_fixed_method=method is not None,
            instance=instance,
            reconnects=instance is not None,
            name=name,
            values=given,
            set_at=dict.fromkeys(given, now.isoformat(timespec="seconds")),
            given=sorted(given),
        )

    def _methods(
        self, component: Component, instance: Instance | None, wish: str | None, given: Mapping[str, str]
    ) -> list[AuthMethod]:
        """The methods that the component may still be connected by, given what is known."""
        place = f"input.{component.name}"
        methods = methods_of(component) if instance is None else [instance.auth_method]
        if not methods:
            self.problems[place] = f"{component.connector} has no authentication method. An administrator can add one."
        if wish is not None:
            keys = [method.key for method in methods]
            methods = [method for method in methods if method.key == wish]
            if not methods:
                self.problems[f"{place}.{AUTH_METHOD}"] = f"There is no such method. {did_you_mean(wish, keys)}"
        refused = [_refused(method, given) for method in methods]
        fitting = [method for method, problems in zip(methods, refused, strict=True) if not problems]
        if methods and not fitting:
            # Of several, the one that takes the most is most likely meant.
            problems = min(refused, key=len)
            self.problems.update({f"{place}.{key}": problem for key, problem in problems.items()})
        return fitting


def methods_of(component: Component) -> list[AuthMethod]:
    """The methods by which a component can be connected."""
    if component.auth_method is not None:
        return [component.auth_method]
    return list(component.connector.auth_methods.select_related("connector"))


def methods_for(part: SessionPart) -> list[AuthMethod]:
    """The methods from which a tenant's user chooses: those that take what the backend gave."""
    given = {key: part.values[key] for key in part.given if key in part.values}
    return [method for method in methods_of(part.component) if not _refused(method, given)]


def fits(instance: Instance, component: Component) -> bool:
    """Whether a component can read an instance."""
    is_method = component.auth_method_id in (None, instance.auth_method_id)
    return is_method and component.connector_id == instance.connector_id


def _refused(method: AuthMethod, given: Mapping[str, str]) -> dict[str, str]:
    return check_given(definition_of(method).method, given)
