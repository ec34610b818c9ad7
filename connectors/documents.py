"""Rows ⇄ documents: what the database holds of a connector, as the definition format says it.

A row remembers in `stated` which keys its document states although they say no more than silence would; so a document
goes through the database and comes out the same, in canonical order.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db import IntegrityError, models, transaction

from connectors.document_changes import Change, differences, same
from connectors.models import AuthMethod, Connector, Variable
from connectors.oauth2 import definition
from connectors.oauth2.checks import check_connector
from connectors.oauth2.definition import SUPPLIED_KEYS, SUPPLIED_VARIABLES, Section, effective_variables
from connectors.oauth2.errors import LatchkeyError
from connectors.oauth2.problems import Problem, dotted

SECTIONS = ("steps", "token_request", "token_response", "api_request", "refresh", "test_request")
CONNECTOR_TEXTS = ("description", "category", "documentation_url", "base_url")
METHOD_TEXTS = ("type", "instructions")
VARIABLE_FIELDS = tuple(name for name in definition.Variable.model_fields if name != "key")

# Rows that an import changes at the same time so that they no longer stand in the way.
Freed = Collection[models.Model]

SOMEBODY_ELSE = Problem(
    (),
    "Somebody else stored the same, or deleted what it needs, at this very moment.",
    "Look at what is stored now, then do this again.",
)

_SUPPLIED = {variable.key: variable for variable in SUPPLIED_VARIABLES}


class DocumentRefused(LatchkeyError):
    """A document that can't be stored. `problems` says what is wrong with it, and where."""

    code: ClassVar[str] = "document_refused"
    permanent: ClassVar[bool] = True

    def __init__(self, key: str, problems: Sequence[Problem]) -> None:
        why = " ".join(f"{dotted(problem.path) or 'The document'}: {problem}" for problem in problems)
        super().__init__(f"The document {key} is refused; nothing of it is stored.", why)
        self.problems = tuple(problems)


def connector_document(connector: Connector) -> dict[str, Any]:
    """The connector's document, in canonical order. `Connector.objects.with_definitions()` makes it cheap."""
    return {
        "kind": "connector",
        "key": connector.key,
        "name": connector.name,
        **_stated(connector, definition.Connector, CONNECTOR_TEXTS),
        **_listed("variables", variable_documents(connector.variables.all()), connector.stated),
        **_listed("auth_methods", [method_document(row) for row in connector.auth_methods.all()], connector.stated),
    }


def method_document(method: AuthMethod) -> dict[str, Any]:
    """An authentication method's part of its connector's document."""
    sections = {name: getattr(method, name) for name in SECTIONS}
    return {
        "key": method.key,
        "name": method.name,
        **_stated(method, definition.AuthMethod, METHOD_TEXTS),
        **_listed("variables", variable_documents(method.variables.all()), method.stated),
        **{name: section for name, section in sections.items() if section is not None or name in method.stated},
    }


def variable_documents(rows: Iterable[Variable]) -> list[dict[str, Any]]:
    """The variables that a document must name so that the same rows, in the same order, come of it.

    Supplied ones that are as supplied stand first and unnamed; from the first that is not, all are named.
    """
    named = [(row, variable_document(row)) for row in rows]
    silent = _silent_prefix(named)
    return [document for row, document in named if row.key not in silent]


def _silent_prefix(named: Sequence[tuple[Variable, dict[str, Any]]]) -> frozenset[str]:
    """The supplied variables that a document can leave out: unchanged, and before all others in the usual order."""
    unchanged = {row.key for row, document in named if row.stated is None and set(document) == {"key"}}
    prefix: list[str] = []
    for row, _ in named:
        if row.key not in unchanged:
            break
        prefix.append(row.key)
    # Where the order was changed by hand, naming the rest keeps it.
    while prefix != [key for key in SUPPLIED_KEYS if key in prefix]:
        prefix.pop()
    return frozenset(prefix)


def variable_document(row: Variable) -> dict[str, Any]:
    """What a document says of one variable so that the same row comes of it."""
    supplied = _SUPPLIED.get(row.key) if row.auth_method_id else None
    silence = supplied or definition.Variable(key=row.key)
    values = {name: getattr(row, name) for name in VARIABLE_FIELDS}
    silent = silence.model_dump(mode="json")
    return {
        "key": row.key,
        **{name: value for name, value in values.items() if name in (row.stated or ()) or value != silent[name]},
    }


def _stated(row: models.Model, section: type[Section], names: Iterable[str]) -> dict[str, Any]:
    stated: list[str] = getattr(row, "stated", [])
    values = {name: getattr(row, name) for name in names}
    defaults = {name: section.model_fields[name].default for name in names}
    return {name: value for name, value in values.items() if name in stated or value != defaults[name]}


def _listed(name: str, items: list[dict[str, Any]], stated: Sequence[str]) -> dict[str, Any]:
    return {name: items} if items or name in stated else {}


def check_document(document: definition.Connector, *, freed: Freed = ()) -> list[Problem]:
    """Everything that keeps a document from being stored, the database's own objections included."""
    return [*check_connector(document, operator=operator_keys(document.key)), *_in_use(document, freed)]


def operator_keys(connector_key: str) -> Mapping[str, Collection[str]]:
    """The variables of a connector that have an operator's value: by method key, "" for the connector's own."""
    rows = Variable.objects.with_operator_value()
    own = rows.filter(connector__key=connector_key).values_list("key", flat=True)
    found: dict[str, list[str]] = {"": list(own)}
    of_methods = rows.filter(auth_method__connector__key=connector_key).values_list("auth_method__key", "key")
    for method, key in of_methods:
        found.setdefault(method, []).append(key)
    return found


def _gone(document: definition.Connector) -> models.QuerySet[AuthMethod]:
    kept = [method.key for method in document.auth_methods]
    return AuthMethod.objects.filter(connector__key=document.key).exclude(key__in=kept)


def _in_use(document: definition.Connector, freed: Freed) -> Iterator[Problem]:
    for method in _gone(document):
        users = uses(method, freed=freed)
        if users:
            yield Problem(
                ("auth_methods",),
                f"The method {method.key} is gone from the document, but {users}.",
                "Keep it in the document, or remove what uses it first.",
            )


def uses(method: AuthMethod, *, freed: Freed = ()) -> str:
    """What keeps a method from being deleted, such as "3 instances and 1 component use it"; or nothing."""
    counted: list[tuple[int, str]] = []
    # Whoever protects its method is asked, so that this app need not know of those that build on it.
    for relation in AuthMethod._meta.related_objects:
        model = relation.related_model
        if relation.on_delete is models.PROTECT and not isinstance(model, str):
            pks = [row.pk for row in freed if isinstance(row, model)]
            count = model._base_manager.filter(**{relation.field.name: method}).exclude(pk__in=pks).count()
            name = model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural
            counted += [(count, str(name))] if count else []
    listed = " and ".join(f"{count} {name}" for count, name in counted)
    return f"{listed} {'uses' if [count for count, _ in counted] == [1] else 'use'} it" if counted else ""


def store_connector(document: definition.Connector) -> Change:
    """Store a document as rows, all or nothing. Raises `DocumentRefused`.

    Rows are matched by key and changed in place; where nothing differs nothing is written. Operator's values stay.
    """
    try:
        with transaction.atomic():
            problems = check_document(document)
            if problems:
                raise DocumentRefused(document.key, problems)
            change = write_connector(document)
            remove_gone(document)
            return change
    except IntegrityError:
        pass  # what it quotes of the rows is nobody's business
    raise DocumentRefused(document.key, [SOMEBODY_ELSE])


def write_connector(document: definition.Connector) -> Change:
    """Write what a checked document says, in a transaction. Methods gone from it stay until `remove_gone`."""
    row = Connector.objects.select_for_update().filter(key=document.key).first()
    before = connector_document(Connector.objects.with_definitions().get(pk=row.pk)) if row is not None else None
    change = Change(before, document.stated())
    if not change:
        return change
    row = row or Connector(key=document.key)
    texts = {name: getattr(document, name) for name in ("name", *CONNECTOR_TEXTS)}
    _write(row, {**texts, "stated": _defaults_stated(document, (*CONNECTOR_TEXTS, "variables", "auth_methods"))})
    _write_variables(row.variables, [(one, _defaults_stated(one, VARIABLE_FIELDS)) for one in document.variables])
    for position, method in enumerate(document.auth_methods):
        _write_method(row, method, position)
    _touch(row, change)
    return change


def remove_gone(document: definition.Connector) -> None:
    """Delete the methods that a document no longer names."""
    _gone(document).delete()


def _touch(row: Connector, change: Change) -> None:
    """Draw new revisions: of the methods that changed, or of all where the connector itself did."""
    paths = list(differences(change.before or {}, change.after))
    changed = {path[1] for path in paths if path[0] == "auth_methods" and len(path) > 1}
    everything = any(path[0] != "auth_methods" for path in paths)
    (row.auth_methods.all() if everything else row.auth_methods.filter(key__in=changed)).touch()


def _write_method(connector: Connector, document: definition.AuthMethod, position: int) -> None:
    row = connector.auth_methods.filter(key=document.key).first() or AuthMethod(connector=connector, key=document.key)
    sections = document.stated()
    _write(
        row,
        {
            **{name: getattr(document, name) for name in ("name", *METHOD_TEXTS)},
            **{name: sections.get(name) for name in SECTIONS},
            "position": position,
            "stated": _defaults_stated(document, (*METHOD_TEXTS, "variables", "test_request")),
        },
    )
    named = {variable.key: variable for variable in document.variables}
    wanted = []
    for variable in effective_variables(document.variables):
        stated = named.get(variable.key)
        supplied = _SUPPLIED.get(variable.key)
        wanted.append((variable, None if stated is None else _defaults_stated(stated, VARIABLE_FIELDS, supplied)))
    _write_variables(row.variables, wanted)


def _write_variables(
    rows: "models.Manager[Variable]", wanted: Sequence[tuple[definition.Variable, list[str] | None]]
) -> None:
    """Make `rows` (of one connector or method) those that are wanted, each with the keys that its document states."""
    present = {row.key: row for row in rows.all()}
    for position, (variable, stated) in enumerate(wanted):
        values = variable.model_dump(mode="json", exclude={"key"})
        row = present.pop(variable.key, None)
        if row is None:
            rows.create(key=variable.key, **{**values, "position": position, "stated": stated})
        else:
            _write(row, {**values, "position": position, "stated": stated})
    rows.filter(key__in=present).delete()


def add_supplied_variables(method: AuthMethod) -> None:
    """Make the rows of the variables that the type supplies and that the method lacks, each in its usual place."""
    rows = list(method.variables.all())
    position = 0
    for key, variable in _SUPPLIED.items():
        keys = [row.key for row in rows]
        if key in keys:
            position = keys.index(key) + 1
            continue
        rows.insert(position, Variable(auth_method=method, key=key, **variable.model_dump(exclude={"key"})))
        position += 1
    for index, row in enumerate(rows):
        _write(row, {"position": index})


def _write(row: models.Model, values: Mapping[str, Any]) -> None:
    """Save `row` with `values` if it is new or they differ."""
    changed = [name for name, value in values.items() if not same(getattr(row, name), value)]
    for name in changed:
        setattr(row, name, values[name])
    if row.pk is None:
        row.save()
    elif changed:
        stamps = ["updated_at"] if hasattr(row, "updated_at") else []
        row.save(update_fields=[*changed, *stamps])


def _defaults_stated(document: Section, names: Iterable[str], silence: Section | None = None) -> list[str]:
    """Which of `names` a document states although they say no more than silence would."""
    silent = silence or type(document).model_construct()
    return [
        name
        for name in names
        if name in document.model_fields_set and getattr(document, name) == getattr(silent, name, None)
    ]
