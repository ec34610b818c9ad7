"""Re-encrypting what is stored with the first of FERNET_KEYS, while others read and write it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models, router
from django.db.models.expressions import ExpressionWrapper, F

from connectors.encryption import SecretUnreadable, is_current, renewed
from connectors.fields import EncryptedTextField, secrets_of

BATCH = 200  # rows read at a time; each is written by itself, so no lock is held for longer than one row needs


@dataclass(slots=True)
class Outcome:
    """What became of the rows of one model, or of all. A row is listed as `app.Model pk (field)`."""

    checked: int = 0
    renewed: int = 0
    unreadable: list[str] = field(default_factory=list)
    # Changed by someone else between our reading and writing, time and again.
    contended: list[str] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.checked += other.checked
        self.renewed += other.renewed
        self.unreadable += other.unreadable
        self.contended += other.contended


Progress = Callable[[Outcome], None]


def models_with_secrets(using: str = DEFAULT_DB_ALIAS) -> list[type[models.Model]]:
    """Every model whose own table has an encrypted column."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and secrets_of(model) and router.allow_migrate_model(using, model)
    ]


def rotate(
    model: type[models.Model], *, using: str = DEFAULT_DB_ALIAS, batch: int = BATCH, progress: Progress = lambda _: None
) -> Outcome:
    """Re-encrypt the model's rows; what the first key decrypts already is left alone, so that a second run resumes.

    `progress` is told after each batch of what has been done so far.
    """
    outcome = Outcome()
    for rows in _batches(model, using, batch):
        for pk, *ciphertexts in rows:
            outcome.checked += 1
            done = [
                _rotate_one(column, pk, _as_bytes(ciphertext), outcome, using)
                for column, ciphertext in zip(secrets_of(model), ciphertexts, strict=True)
            ]
            outcome.renewed += any(done)  # a row counts once, however many secrets it holds
        progress(outcome)
    return outcome


def _batches(model: type[models.Model], using: str, size: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    columns = secrets_of(model)
    # As plain bytes: the fields themselves would decrypt, and one unreadable row would end the whole query.
    raw = {f"raw_{n}": _raw(column) for n, column in enumerate(columns)}
    everything = model._base_manager.using(using).annotate(**raw).order_by("pk").values_list("pk", *raw)
    rows = list(everything[:size])
    while rows:
        yield rows
        rows = list(everything.filter(pk__gt=rows[-1][0])[:size])


def _rotate_one(
    column: EncryptedTextField[Any, Any], pk: object, ciphertext: bytes | None, outcome: Outcome, using: str
) -> bool:
    name = f"{column.model._meta.label} {pk} ({column.name})"
    for _ in range(5):
        if ciphertext is None or is_current(ciphertext):
            return False
        try:
            new = renewed(ciphertext)
        except SecretUnreadable:
            outcome.unreadable.append(name)
            return False
        if _swap(column, pk, ciphertext, new, using):
            return True
        ciphertext = _read(column, pk, using)
    outcome.contended.append(name)
    return False


def _swap(column: EncryptedTextField[Any, Any], pk: object, old: bytes, new: bytes, using: str) -> bool:
    """Write `new` only if `old` is still there: whatever someone else wrote meanwhile stays."""
    connection = connections[using]
    quote = connection.ops.quote_name
    meta = column.model._meta
    pk_field = meta.pk
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(meta.db_table)} SET {quote(column.column)} = %s"  # noqa: S608 -- names of our own columns
            f" WHERE {quote(pk_field.column)} = %s AND {quote(column.column)} = %s",
            [new, pk_field.get_db_prep_value(pk, connection), old],
        )
        return bool(cursor.rowcount)


def _read(column: EncryptedTextField[Any, Any], pk: object, using: str) -> bytes | None:
    rows = column.model._base_manager.using(using).filter(pk=pk)
    return _as_bytes(rows.annotate(raw=_raw(column)).values_list("raw", flat=True).first())


def _raw(column: EncryptedTextField[Any, Any]) -> "ExpressionWrapper[F]":
    return ExpressionWrapper(F(column.name), output_field=models.BinaryField())


def _as_bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
