"""What a call's key sees of what its address names."""

from typing import Annotated
from uuid import UUID

from ninja import Path
from pydantic import WithJsonSchema

from tenants.errors import InstanceNotFound
from tenants.models import Instance
from tenants.models.instance import InstanceQuerySet

# A text, not a UUID: what is no id at all is not found like an id that isn't there.
InstanceId = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "format": "uuid"})], Path(description="The instance's id.")
]


def id_of(text: str) -> UUID | None:
    """The id that is written so; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def instance_of(seen: InstanceQuerySet, instance_id: str) -> Instance:
    """One of these by id. Raises `InstanceNotFound`, alike for what isn't there and what is out of reach."""
    pk = id_of(instance_id)
    found = None if pk is None else seen.filter(pk=pk).first()
    if found is None:
        raise InstanceNotFound(
            "There is no such instance.", "It never was, it was removed, or this API key does not reach it."
        )
    return found
