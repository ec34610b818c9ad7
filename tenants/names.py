"""Names tell the instances of one connector apart."""

from connectors.oauth2.errors import LatchkeyError, ValidationFailed
from tenants.errors import NameTaken, removed
from tenants.models.instance import Instance, InstanceQuerySet


def free_name(others: InstanceQuerySet, name: str) -> str:
    """The name, trimmed. Raises `NameTaken`, or `ValidationFailed` where it can't be a name."""
    name = name.strip()
    most = Instance._meta.get_field("name").max_length or 0
    problem = ""
    if len(name) > most:
        problem = f"A name has at most {most} characters; this one has {len(name)}."
    elif not name.isprintable():
        problem = "A name is one line of printable characters."
    if problem:
        raise ValidationFailed("This name can't be used.", problem, "Choose another name.", fields={"name": problem})
    if others.filter(name=name).exists():
        raise _name_taken(name)
    return name


def conflict(others: InstanceQuerySet, name: str) -> LatchkeyError:
    """Why the database refused what had been right: somebody was quicker while the provider was asked."""
    return _name_taken(name) if others.filter(name=name).exists() else removed()


def _name_taken(name: str) -> NameTaken:
    called = f"called “{name}”" if name else "without a name"
    return NameTaken(
        f"There is an instance {called} already.",
        "Names tell instances of one connector apart.",
        "Choose another name.",
    )
