"""What the demo sets up of the sandbox: its connector, where it is, and a client to begin with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User

from connectors.models import AuthMethod, Connector, Variable
from integrations.importing import FileProblem, import_files

DOCUMENTS = Path(__file__).with_name("sandbox.yaml")
CONNECTOR = "sandbox"
ADDRESS = "sandbox_url"
OWNER = "acme"


@dataclass(frozen=True)
class Credentials:
    """A client of the sandbox and its secret, which is kept nowhere. Its repr doesn't show it."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.client_id!r})"


def load_documents() -> list[FileProblem]:
    """Store the connector and the integration, unless they were before: what was changed since stays as it is."""
    if Connector.objects.filter(key=CONNECTOR).exists():
        return []
    return import_files([str(DOCUMENTS)])[1]


def point_at(address: str) -> None:
    """Tell the connector where the sandbox is now: connections made while it had another address follow."""
    row = Variable.objects.filter(connector__key=CONNECTOR, key=ADDRESS).first()
    if row is None or row.operator_value == address:
        return
    row.operator_value = address
    row.save(update_fields=["operator_value"])
    AuthMethod.objects.filter(connector__key=CONNECTOR).touch()


def make_client() -> Credentials | None:
    """A client to begin with; None if its owner has one already."""
    # The sandbox's models exist only where it is installed, so they can't be imported from here.
    clients: Any = apps.get_model("sandbox", "Client").objects
    owner = User.objects.get(username=OWNER)
    if clients.of(owner).exists():
        return None
    client, secret = clients.register(owner=owner, name="Demo client")
    return Credentials(client.application.client_id, secret)
