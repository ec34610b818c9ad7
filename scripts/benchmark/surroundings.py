"""What the measuring process is told by the one that started everything."""

import json
import os
from dataclasses import dataclass
from typing import Self

VARIABLE = "LATCHKEY_BENCH"


@dataclass(frozen=True)
class Surroundings:
    """The token server's ports."""

    http: int
    https: int

    @classmethod
    def of_environment(cls) -> Self:
        told = json.loads(os.environ[VARIABLE])
        return cls(told["http"], told["https"])

    def as_variable(self) -> str:
        return json.dumps({"http": self.http, "https": self.https})

    def token_url(self, scheme: str, delay: int) -> str:
        """The endpoint that takes `delay` milliseconds."""
        return f"{scheme}://127.0.0.1:{self.https if scheme == 'https' else self.http}/{delay}/token"
