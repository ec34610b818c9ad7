"""Encrypted columns that forms, admin pages and dumps never show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Case, Value, When
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.utils.functional import cached_property
from fernet_fields import EncryptedField
from pydantic_core import from_json, to_json

from connectors.encryption import decrypt, encrypt
from connectors.secret_forms import Change, SecretFormField, SecretWidget, Stored

_Set = TypeVar("_Set", contravariant=True)
_Get = TypeVar("_Get", covariant=True)

if TYPE_CHECKING:  # fernet_fields has no types, and a base class without any would take away those of the fields

    class _FernetTextField(models.TextField[_Set, _Get]):
        pass
else:

    class _FernetTextField(EncryptedField, models.TextField):
        def __class_getitem__(cls, _types):
            return cls


class EncryptedTextField(_FernetTextField[_Set, _Get]):
    """Text, encrypted at rest; not searchable.

    `dated_by` names a date field of the same model: forms say since when the secret is set. The keys and the errors
    are those of `connectors.encryption`.
    """

    def __init__(self, *args: Any, dated_by: str = "", **kwargs: Any) -> None:
        self.dated_by = dated_by
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "dated_by": self.dated_by} if self.dated_by else kwargs

    # To the database and back

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """The ciphertext. Raises FieldError for an expression: the database can't encrypt what it works out."""
        if hasattr(value, "as_sql"):
            if _is_encrypted(value):
                return value
            raise FieldError(
                f"{self.name} is encrypted before it reaches the database, so it can't be set to an expression. "
                f"Assign the text itself, as in update({self.name}=...) with a plain value."
            )
        if value is None:
            return None
        return connection.Database.Binary(encrypt(self.written(value)))  # type: ignore[attr-defined]

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper, *args: object) -> Any:
        if value is None:
            return None
        return self.read(decrypt(bytes(value), what=self._called))

    @cached_property
    def _called(self) -> str:
        model: type[models.Model] | None = getattr(self, "model", None)  # none in an expression's output_field
        return f"The stored {model._meta.label}.{self.name}" if model else "A stored secret"

    def written(self, value: Any) -> bytes:
        """The value as what is encrypted: a text in UTF-8."""
        return str(value).encode()

    def read(self, text: str) -> Any:
        """The value that `written` made `text` of."""
        return text

    # What others may see

    def value_from_object(self, obj: models.Model) -> Any:
        """What forms and dumps get to see: that something is stored, never what."""
        if getattr(obj, self.attname) in (None, "", {}, []):
            return None
        return Stored(getattr(obj, self.dated_by, None) if self.dated_by else None)

    def value_to_string(self, obj: models.Model) -> Any:
        """The default: `dumpdata` writes plain text. Back up with the database's own tools instead."""
        return self.get_default()

    @property
    def flatchoices(self) -> list[tuple[str, str]]:
        # The admin shows a field that may be viewed but not changed by looking its value up here, if there is
        # anything here at all; and shows a dash for a value that isn't found.
        return [("", "")]

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        """A `SecretFormField`; `multiline=True` for several lines. Other widgets, like the admin's, would show it."""
        for name in ("choices_form_class", "form_class", "max_length"):
            kwargs.pop(name, None)
        if not isinstance(kwargs.get("widget"), SecretWidget):
            kwargs.pop("widget", None)
        multiline = kwargs.pop("multiline", False)
        defaults = {"required": not self.blank, "label": self._label(), "help_text": self.help_text}
        return SecretFormField(multiline=multiline, **{**defaults, **kwargs})

    def _label(self) -> str:
        label = str(self.verbose_name)
        return label[:1].upper() + label[1:]

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """Take over what a form brought: a new text, or the wish to keep or to clear the stored one."""
        if data is Change.KEEP:
            return
        if data is Change.CLEAR:
            data = None if self.null else ""
        setattr(instance, self.name, data)


class EncryptedJSONField(EncryptedTextField[_Set, _Get]):
    """A JSON object, encrypted whole."""

    # What django-stubs' plugin takes an attribute's type from.
    _pyi_private_set_type: Mapping[str, Any]  # type: ignore[assignment]
    _pyi_private_get_type: dict[str, Any]  # type: ignore[assignment]

    # Python's own json takes five times as long, and this is done for every renewal.
    def written(self, value: Any) -> bytes:
        return to_json(value)

    def read(self, text: str) -> Any:
        return from_json(text)

    def to_python(self, value: Any) -> Any:
        return value

    def formfield(self, **kwargs: Any) -> None:  # type: ignore[override]
        """None: the parts of such a value are edited one by one, by forms that know them."""


@EncryptedTextField.register_lookup
class _Exact(Exact):  # type: ignore[type-arg]  # (it can't be subscripted)
    """`filter(field=None)` and nothing else: no two ciphertexts are alike."""

    def get_prep_lookup(self) -> None:
        if self.rhs is not None:
            raise FieldError(f"{self.lhs.field.name} is encrypted: it does not support lookups of values.")


def _is_encrypted(expression: Any) -> bool:
    """Whether every value in the CASE that bulk_update() makes will pass through an encrypted field."""
    if isinstance(expression, Value):
        return expression.value is None or isinstance(vars(expression).get("output_field"), EncryptedTextField)
    if isinstance(expression, Cast):
        return all(map(_is_encrypted, expression.get_source_expressions()))
    if isinstance(expression, Case):
        branches = [case.result for case in expression.cases if isinstance(case, When)]
        return all(map(_is_encrypted, [*branches, expression.default]))
    return False


def secrets_of(model: type[models.Model]) -> list[EncryptedTextField[Any, Any]]:
    """The encrypted columns of the model's own table."""
    return [field for field in model._meta.local_concrete_fields if isinstance(field, EncryptedTextField)]
