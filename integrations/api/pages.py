"""Lists, a page at a time. A cursor says after which row the next page begins, so that new rows shift nothing."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from ninja import Query

from connectors.oauth2.errors import ValidationFailed
from connectors.oauth2.problems import did_you_mean

Row = TypeVar("Row", bound=Model)
Place = list[str | int]

Cursor = Annotated[
    str | None, Query(description="`next_cursor` of the page before; without it, the first.", max_length=1000)
]
Limit = Annotated[int, Query(description="How many at most.", ge=1, le=200)]


class Order(NamedTuple):
    """How a list is ordered: its columns, where a row stands in it, and what comes after such a place."""

    name: str
    columns: Sequence[str]
    place: Callable[[Any], Place]
    after: Callable[[Place], Q]


def page(rows: "QuerySet[Row]", order: Order, cursor: str | None, limit: int) -> tuple[list[Row], str | None]:
    """A page of rows and the cursor of the next, None after the last. Raises `ValidationFailed`."""
    if cursor is not None:
        rows = rows.filter(order.after(_place(cursor, order)))
    # One more than asked for shows whether there are more.
    found = list(rows.order_by(*order.columns)[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], signing.dumps(order.place(found[limit - 1]), salt=_salt(order))


def _place(cursor: str, order: Order) -> Place:
    # Signed: what comes back is as it went out, and of this list.
    try:
        place: Place = signing.loads(cursor, salt=_salt(order))
    except signing.BadSignature:
        pass
    else:
        return place
    raise ValidationFailed(
        "The cursor can't be used.",
        "It is no `next_cursor` of this list.",
        "Pass back what the page before said, unchanged, or begin without a cursor.",
        fields={"cursor": "This is no next_cursor of this list."},
    )


def _salt(order: Order) -> str:
    return f"{__name__}.{order.name}"


def refuse_unknown(request: HttpRequest, *known: str) -> None:
    """A misspelt filter would list everything, and of a repeated one the last alone would count: nobody would notice.

    Raises `ValidationFailed`.
    """
    unknown = {name: f"There is no such parameter. {did_you_mean(name, known)}" for name in request.GET.keys() - known}
    if unknown:
        raise ValidationFailed("There are parameters that this call doesn't know.", fields=unknown)
    repeated = {name: "This is there more than once." for name, values in request.GET.lists() if len(values) > 1}
    if repeated:
        raise ValidationFailed("A parameter can be given once.", remedy="Make a call for each.", fields=repeated)
