"""An HTTP request and its answer, as values: what the core makes and reads, and `connectors.transport` carries.

Nobody changes one once it is made; but they are not frozen, which makes making them several times as slow, and every
renewal makes some.
"""

from dataclasses import dataclass, field

from connectors.oauth2.certificates import ClientCertificate


@dataclass(slots=True)
class Headers:
    """Header fields in order; names ignore case (RFC 9110 section 5.1). Its repr shows no value."""

    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def get(self, name: str, default: str = "") -> str:
        """The first value of `name`."""
        wanted = name.lower()
        for key, value in self.fields:
            if key.lower() == wanted:
                return value
        return default

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        return any(key.lower() == wanted for key, _ in self.fields)


@dataclass(slots=True)
class HttpRequest:
    """A request, ready to send. Its repr shows neither query, headers nor body: secrets may be in any of them."""

    method: str
    url: str = field(repr=False)
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = field(default=None, repr=False)  # presented in the TLS handshake
    spent: float = 0.0  # seconds of the exchange's time that its earlier requests took


@dataclass(slots=True)
class HttpResponse:
    """An answer, its body read whole. Its repr shows the status alone: a token may be anywhere in the rest."""

    status: int
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes = field(default=b"", repr=False)
